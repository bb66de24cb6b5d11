//! clusterctl's inventory of providers, on both clusters.

use std::collections::BTreeMap;

use capi::names::PROVIDER_LABEL;
use capi::{Object, ResourceType};
use cluster::{ApiError, Client};
use semver::Version;
use serde::{Deserialize, Serialize};

use super::findings::Findings;
use super::running_providers;

/// clusterctl's `Provider` objects.
pub fn provider_type() -> ResourceType {
    ResourceType::new("clusterctl.cluster.x-k8s.io/v1alpha3", "Provider", "providers", true)
}

/// One installed provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Provider {
    /// Name, for example `docker`.
    pub name: String,
    /// Type, for example `InfrastructureProvider`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Version as written, for example `v1.14.2`.
    pub version: String,
    /// Namespace it runs in.
    pub namespace: String,
    /// True if clusterctl's inventory names it.
    #[serde(skip)]
    pub is_recorded: bool,
}

impl Provider {
    /// Returns whether its namespace may hold credentials that belong to clusters.
    pub fn is_infrastructure(&self) -> bool {
        self.kind == "InfrastructureProvider"
    }
}

/// Reads the providers of a cluster: clusterctl's inventory, or where there is none the Deployments
/// of providers.
///
/// # Errors
/// When they cannot be listed.
pub async fn read(cluster: &Client) -> Result<Vec<Provider>, ApiError> {
    let recorded = read_recorded(cluster).await?;
    if recorded.is_empty() { running_providers::read(cluster).await } else { Ok(recorded) }
}

/// Reads clusterctl's inventory of providers.
async fn read_recorded(cluster: &Client) -> Result<Vec<Provider>, ApiError> {
    match cluster.list(&provider_type(), None).await {
        Ok(objects) => Ok(objects.iter().map(from_object).collect()),
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn from_object(object: &Object) -> Provider {
    let text = |field: &str| {
        let text = object.value().get(field).and_then(|value| value.as_str());
        text.unwrap_or_default().to_owned()
    };
    Provider {
        name: text("providerName"),
        kind: text("type"),
        version: text("version"),
        namespace: object.namespace().unwrap_or_default().to_owned(),
        is_recorded: true,
    }
}

/// Checks that the target has every provider of the source, at least as new.
pub fn compare(source: &[Provider], target: &[Provider]) -> Findings {
    let mut findings = Findings::default();
    if source.is_empty() {
        let message = format!(
            "it is not a management cluster: clusterctl's provider inventory is empty, and no \
             Deployment has the label {PROVIDER_LABEL}"
        );
        findings.error("NotInitialised", "source", message, "check --kubeconfig and --context");
    }
    let is_installed = |wanted: &Provider| {
        target.iter().any(|found| (&found.kind, &found.name) == (&wanted.kind, &wanted.name))
    };
    let mut newest: BTreeMap<(&str, &str), Version> = BTreeMap::new();
    for provider in target {
        let Some(version) = parse(provider, "target", &mut findings) else { continue };
        let slot =
            newest.entry((&provider.kind, &provider.name)).or_insert_with(|| version.clone());
        *slot = version.max(slot.clone());
    }
    for provider in source {
        let described = format!("{} {}", provider.kind, provider.name);
        let wanted = parse(provider, "source", &mut findings);
        if !is_installed(provider) {
            findings.error(
                "ProviderMissing",
                "target",
                format!("{described} is not installed (the source has {})", provider.version),
                way_to(target, "install it", "clusterctl init"),
            );
            continue;
        }
        let found = newest.get(&(provider.kind.as_str(), provider.name.as_str()));
        if let (Some(wanted), Some(found)) = (wanted, found)
            && *found < wanted
        {
            let of_source = &provider.version;
            findings.error(
                "ProviderOlder",
                "target",
                format!("{described} is older (v{found}) than in the source ({of_source})"),
                way_to(target, "upgrade it", "clusterctl upgrade apply"),
            );
        }
    }
    findings
}

/// The next step in a target. clusterctl would install a second time what the operator of Cluster
/// API, Helm or manifests have installed.
fn way_to(target: &[Provider], action: &str, command: &str) -> String {
    match target.iter().all(|provider| provider.is_recorded) {
        true => format!("{action} with `{command}` in the target cluster"),
        false => format!(
            "{action} in the target cluster by the tool that has installed its other providers; \
             `{command}` would install a second set of them"
        ),
    }
}

fn parse(provider: &Provider, cluster: &'static str, findings: &mut Findings) -> Option<Version> {
    let text = provider.version.strip_prefix('v').unwrap_or(&provider.version);
    let parsed = Version::parse(text).ok();
    if provider.version.is_empty() {
        findings.warning(
            "ProviderVersion",
            cluster,
            format!(
                "{} {} has no version that can be read from its image",
                provider.kind, provider.name
            ),
            "check that both clusters run the same version of it",
        );
    } else if parsed.is_none() {
        let message = format!(
            "{} {} has a version that is not semantic: `{}`",
            provider.kind, provider.name, provider.version
        );
        findings.error(
            "ProviderVersion",
            cluster,
            message,
            "fix the version of its Provider object",
        );
    }
    parsed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(name: &str, version: &str) -> Provider {
        Provider {
            name: name.into(),
            kind: "CoreProvider".into(),
            version: version.into(),
            namespace: "n".into(),
            is_recorded: true,
        }
    }

    fn rules(source: &[Provider], target: &[Provider]) -> Vec<&'static str> {
        compare(source, target).0.iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn clusterctl_is_no_advice_for_a_target_that_it_has_not_installed() {
        let installed_otherwise = Provider { is_recorded: false, ..provider("b", "v1.2.0") };
        let source = [provider("a", "v1.2.0")];
        for (target, advice) in [
            (&[][..], "with `clusterctl init`"),
            (&[provider("b", "v1.2.0")], "with `clusterctl init`"),
            (&[installed_otherwise], "by the tool that has installed its other providers"),
        ] {
            let findings = compare(&source, target);
            assert!(findings.0[0].hint.contains(advice), "{findings:?}");
        }
    }

    #[test]
    fn the_target_must_have_everything_at_least_as_new() {
        let old = [provider("a", "v1.2.0")];
        let new = [provider("a", "v1.10.0")];
        assert_eq!(rules(&old, &new), Vec::<&str>::new());
        assert_eq!(rules(&old, &old), Vec::<&str>::new());
        assert_eq!(rules(&new, &old), ["ProviderOlder"]);
        assert_eq!(rules(&old, &[]), ["ProviderMissing"]);
        assert_eq!(rules(&[], &old), ["NotInitialised"]);
        assert_eq!(rules(&[provider("a", "main")], &new), ["ProviderVersion"]);
        assert_eq!(rules(&[provider("a", "")], &new), ["ProviderVersion"]);
        assert_eq!(rules(&[provider("a", "")], &[]), ["ProviderVersion", "ProviderMissing"]);
        assert_eq!(rules(&new, &[provider("a", "")]), ["ProviderVersion"]);
        assert_eq!(
            rules(&new, &[provider("a", "v1.2.0"), provider("a", "v1.11.0")]),
            Vec::<&str>::new()
        );
    }
}
