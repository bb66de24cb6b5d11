//! The choice of the version of a kind to render.

use serde_json::{Value, json};

use crate::cluster::ClusterRequest;
use crate::error::{PluginError, PluginResult};

/// Versions of the API that the helpers of this module can render.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiVersion {
    /// `v1beta1`: the only one before Cluster API 1.11.
    V1Beta1,
    /// `v1beta2`: the storage version since Cluster API 1.11.
    V1Beta2,
}

/// The choice of a version: wanted ones, and those that the management cluster offers.
#[derive(Clone, Copy, Debug)]
pub struct VersionChoice<'a> {
    request: &'a ClusterRequest,
    wanted: Option<ApiVersion>,
}

/// The first minor version of Cluster API 1.x that serves `v1beta2`.
const FIRST_WITH_V1BETA2: u32 = 11;

impl ApiVersion {
    /// The version as in `apiVersion`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1Beta1 => "v1beta1",
            Self::V1Beta2 => "v1beta2",
        }
    }

    /// A reference to an object from an object of this version: `v1beta2` names the group only,
    /// `v1beta1` the whole `apiVersion` (which is `target` here) and the namespace.
    pub fn reference(
        self,
        target: ApiVersion,
        (group, kind): (&str, &str),
        (namespace, name): (&str, &str),
    ) -> Value {
        match self {
            Self::V1Beta1 => json!({
                "apiVersion": format!("{group}/{}", target.as_str()),
                "kind": kind,
                "name": name,
                "namespace": namespace,
            }),
            Self::V1Beta2 => json!({"apiGroup": group, "kind": kind, "name": name}),
        }
    }
}

impl<'a> VersionChoice<'a> {
    /// `wanted` is the variable `api-version`: `auto`, `v1beta1` or `v1beta2`.
    ///
    /// # Errors
    /// [`crate::ErrorCode::InvalidRequest`] for any other word.
    pub fn new(request: &'a ClusterRequest, wanted: &str) -> PluginResult<Self> {
        let wanted = match wanted {
            "auto" => None,
            "v1beta1" => Some(ApiVersion::V1Beta1),
            "v1beta2" => Some(ApiVersion::V1Beta2),
            other => {
                let message = format!("cannot render version `{other}` of Cluster API");
                return Err(PluginError::invalid_request(message));
            }
        };
        Ok(Self { request, wanted })
    }

    /// The version of `kind` to render: what is wanted, else the newest that is served, else what
    /// the version of Cluster API suggests, else `v1beta2`.
    ///
    /// # Errors
    /// [`crate::ErrorCode::Unsupported`] if the management cluster does not serve it.
    pub fn of(&self, group: &str, kind: &str) -> PluginResult<ApiVersion> {
        if self.request.served.is_empty() {
            return Ok(self.wanted.unwrap_or(self.suggested()?));
        }
        let Some(served) = self.request.served_kind(group, kind) else {
            let message = format!("the management cluster does not serve {kind} ({group})");
            return Err(PluginError::unsupported(message)
                .with_hint("install the providers first, as `clusterctl init` does"));
        };
        let candidates = match self.wanted {
            Some(version) => vec![version],
            None => vec![ApiVersion::V1Beta2, ApiVersion::V1Beta1],
        };
        let is_served =
            |version: &ApiVersion| served.versions.iter().any(|v| v == version.as_str());
        candidates.iter().copied().find(is_served).ok_or_else(|| {
            let wanted: Vec<_> = candidates.iter().map(|version| version.as_str()).collect();
            PluginError::unsupported(format!(
                "the management cluster serves {kind} ({group}) as {}, and not as {}",
                served.versions.join(", "),
                wanted.join(" or "),
            ))
        })
    }

    /// The minor version of Cluster API 1.x, if it was given.
    ///
    /// # Errors
    /// [`crate::ErrorCode::InvalidRequest`] for a version that is not like `v1.14.2`.
    pub fn capi_minor(&self) -> PluginResult<Option<u32>> {
        let Some(version) = &self.request.capi_version else { return Ok(None) };
        let mut parts = version.trim_start_matches('v').split(['.', '-', '+']);
        let minor = match (parts.next(), parts.next().map(str::parse)) {
            (Some("1"), Some(Ok(minor))) => Some(minor),
            _ => None,
        };
        minor.map(Some).ok_or_else(|| {
            let message = format!("`{version}` is not a version of Cluster API such as v1.14.2");
            PluginError::invalid_request(message)
        })
    }

    fn suggested(&self) -> PluginResult<ApiVersion> {
        Ok(match self.capi_minor()? {
            Some(minor) if minor < FIRST_WITH_V1BETA2 => ApiVersion::V1Beta1,
            _ => ApiVersion::V1Beta2,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::ServedKind;
    use crate::error::ErrorCode;

    fn serving(versions: &[&str]) -> ClusterRequest {
        let versions = versions.iter().map(|&version| version.to_owned()).collect();
        let kind = ServedKind { group: crate::capi::CORE.into(), kind: "Cluster".into(), versions };
        ClusterRequest { served: vec![kind], ..ClusterRequest::named("pivot") }
    }

    fn choose(request: &ClusterRequest, wanted: &str) -> PluginResult<ApiVersion> {
        VersionChoice::new(request, wanted)?.of(crate::capi::CORE, "Cluster")
    }

    #[test]
    fn takes_the_newest_served() {
        assert_eq!(choose(&serving(&["v1beta1", "v1beta2"]), "auto"), Ok(ApiVersion::V1Beta2));
        assert_eq!(choose(&serving(&["v1beta1"]), "auto"), Ok(ApiVersion::V1Beta1));
        assert_eq!(choose(&serving(&["v1beta1", "v1beta2"]), "v1beta1"), Ok(ApiVersion::V1Beta1));
    }

    #[test]
    fn refuses_what_is_not_served() {
        for (request, wanted, part) in [
            (serving(&["v1beta2"]), "v1beta1", "as v1beta2, and not as v1beta1"),
            (serving(&["v2"]), "auto", "as v2, and not as v1beta2 or v1beta1"),
        ] {
            let error = choose(&request, wanted).expect_err("nothing usable is served");
            assert_eq!(error.code, ErrorCode::Unsupported);
            assert!(error.message.contains(part), "{}", error.message);
        }
        let request = serving(&["v1beta2"]);
        let choice = VersionChoice::new(&request, "auto").expect("auto is allowed");
        let error = choice.of(crate::capi::BOOTSTRAP, "KubeadmConfigTemplate");
        assert_eq!(error.expect_err("not served").code, ErrorCode::Unsupported);
    }

    #[test]
    fn guesses_from_the_version_of_cluster_api() {
        for (version, expected) in [
            (None, ApiVersion::V1Beta2),
            (Some("v1.10.4"), ApiVersion::V1Beta1),
            (Some("1.11.0"), ApiVersion::V1Beta2),
            (Some("v1.15.0-rc.1"), ApiVersion::V1Beta2),
        ] {
            let capi_version = version.map(str::to_owned);
            let request = ClusterRequest { capi_version, ..ClusterRequest::named("pivot") };
            assert_eq!(choose(&request, "auto"), Ok(expected), "{version:?}");
        }
        let capi_version = Some("latest".to_owned());
        let request = ClusterRequest { capi_version, ..ClusterRequest::named("pivot") };
        let error = choose(&request, "auto").expect_err("not a version");
        assert_eq!(error.code, ErrorCode::InvalidRequest);
    }
}
