//! Words of the document that are checked where they stand, so that errors have a line and column.

use capi::valid;
use serde::{Deserialize, Deserializer, de};

/// `apiVersion` of the document.
pub const API_VERSION: &str = "kubectl-pivot.io/v1alpha1";
/// `kind` of the document.
pub const KIND: &str = "Pivot";

pub(super) fn api_version<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    exactly(from, API_VERSION, "apiVersion")
}

pub(super) fn kind<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    exactly(from, KIND, "kind")
}

fn exactly<'de, D: Deserializer<'de>>(
    from: D,
    expected: &str,
    field: &str,
) -> Result<String, D::Error> {
    let found = String::deserialize(from)?;
    if found == expected {
        return Ok(found);
    }
    let is_of_kubernetes = !found.starts_with("kubectl-pivot.io/") && field == "apiVersion";
    let advice = match is_of_kubernetes {
        true => "; manifests of a cluster are given with --cluster-manifest FILE",
        false => "",
    };
    let text = format!("{field} is `{found}`, and this program knows `{expected}`{advice}");
    Err(de::Error::custom(text))
}

/// A namespace.
pub(super) fn namespace<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let Some(name) = Option::<String>::deserialize(from)? else { return Ok(None) };
    namespace_name(&name).map(Some).map_err(de::Error::custom)
}

/// The name of a namespace, as it is.
///
/// # Errors
/// Says what is wrong with it.
pub fn namespace_name(name: &str) -> Result<String, String> {
    if valid::is_label(name) {
        return Ok(name.to_owned());
    }
    Err(format!(
        "`{name}` is not a namespace; use up to 63 lowercase letters, digits and `-`, with a \
         letter or digit at both ends"
    ))
}

/// The name of a cluster in kind.
pub(super) fn kind_cluster<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let Some(name) = Option::<String>::deserialize(from)? else { return Ok(None) };
    kind_cluster_name(&name).map(Some).map_err(de::Error::custom)
}

/// The name of a cluster in kind, as it is. kind takes dots too; its containers have this name with
/// `-control-plane` behind it as their host name.
///
/// # Errors
/// Says what is wrong with it.
pub fn kind_cluster_name(name: &str) -> Result<String, String> {
    if name.len() <= 49 && valid::is_subdomain(name) {
        return Ok(name.to_owned());
    }
    Err(format!(
        "`{name}` is not a name for kind; use up to 49 lowercase letters, digits, `-` and `.`, \
         with a letter or digit at both ends"
    ))
}

/// A name as Kubernetes wants it for Clusters: it becomes part of names of Services.
pub(super) fn name<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let Some(name) = Option::<String>::deserialize(from)? else { return Ok(None) };
    cluster_name(&name).map(Some).map_err(de::Error::custom)
}

/// A name of a Cluster, as it is.
///
/// # Errors
/// Says what is wrong with it.
pub fn cluster_name(name: &str) -> Result<String, String> {
    if valid::is_old_label(name) {
        return Ok(name.to_owned());
    }
    Err(format!(
        "`{name}` is not a valid name; use at most 63 lowercase letters, digits and `-`, with a \
         letter first and no `-` last"
    ))
}

/// Providers of `clusterctl init`, each as in [`provider`].
pub(super) fn providers<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let given = Vec::<String>::deserialize(from)?;
    given.iter().map(|text| provider(text)).collect::<Result<_, _>>().map_err(de::Error::custom)
}

/// Reads a provider of `clusterctl init`, as `TYPE=NAME` or `TYPE=NAME:VERSION`.
///
/// # Errors
/// A sentence fragment with the form.
pub fn provider(text: &str) -> Result<String, String> {
    let is_word = |word: &str| {
        !word.is_empty()
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    let is_version = |version: &str| {
        version.strip_prefix('v').is_some_and(|number| semver::Version::parse(number).is_ok())
    };
    let is_valid = text.split_once('=').is_some_and(|(kind, name)| {
        let (name, version) = match name.split_once(':') {
            Some((name, version)) => (name, Some(version)),
            None => (name, None),
        };
        PROVIDER_TYPES.contains(&kind) && is_word(name) && version.is_none_or(is_version)
    });
    if is_valid {
        return Ok(text.to_owned());
    }
    let types = PROVIDER_TYPES.join(", ");
    Err(format!(
        "`{text}` is not a provider; use a form such as infrastructure=docker:v1.14.2, with one of \
         {types}"
    ))
}

/// Types of providers, as the flags of `clusterctl init` are named.
const PROVIDER_TYPES: [&str; 7] =
    ["core", "bootstrap", "control-plane", "infrastructure", "addon", "ipam", "runtime-extension"];

/// A version such as `v1.33.0`.
pub(super) fn version<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let Some(version) = Option::<String>::deserialize(from)? else { return Ok(None) };
    kubernetes_version(&version).map(Some).map_err(de::Error::custom)
}

/// A version of Kubernetes with its `v`, which may be left out.
///
/// # Errors
/// Says what is wrong with it.
pub fn kubernetes_version(version: &str) -> Result<String, String> {
    let number = version.strip_prefix('v').unwrap_or(version);
    match semver::Version::parse(number) {
        Ok(_) => Ok(format!("v{number}")),
        Err(_) => {
            Err(format!("`{version}` is not a Kubernetes version; use a form such as v1.33.0"))
        }
    }
}

/// A repository of charts.
pub(super) fn repository<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let Some(url) = Option::<String>::deserialize(from)? else { return Ok(None) };
    chart_repository(&url).map(Some).map_err(de::Error::custom)
}

/// The address of a repository of charts, without a slash at its end.
///
/// # Errors
/// In words, when helm could not use it, or when it holds a password: others can see arguments.
pub fn chart_repository(url: &str) -> Result<String, String> {
    let is_known = |scheme: &str| matches!(scheme, "https" | "http" | "oci");
    let uri = url.parse::<http::Uri>().ok();
    let uri = uri.filter(|uri| uri.scheme_str().is_some_and(is_known) && uri.host().is_some());
    let authority = uri.as_ref().and_then(http::Uri::authority);
    match authority {
        None => {
            Err("it is not an address of a repository; use https://…, http://… or oci://…, or \
                     --cni-chart for a chart on this machine"
                .to_owned())
        }
        Some(authority) if authority.as_str().contains('@') => {
            Err("it holds a password, which others would see among the arguments of helm: log in \
                 with `helm registry login`, or fetch the chart with `helm pull` and give it with \
                 --cni-chart"
                .to_owned())
        }
        Some(_) => Ok(url.trim_end_matches('/').to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_addresses_without_passwords() {
        for (url, expected) in [
            ("https://charts.example/", Ok("https://charts.example")),
            ("http://127.0.0.1:8080/a", Ok("http://127.0.0.1:8080/a")),
            ("oci://registry.example/charts", Ok("oci://registry.example/charts")),
            ("charts.example", Err("not an address")),
            ("file:///charts", Err("not an address")),
            ("https://", Err("not an address")),
            ("https://me:secret@charts.example", Err("password")),
        ] {
            match (chart_repository(url), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{url}: {found}"),
                (found, _) => panic!("{url}: {found:?}"),
            }
        }
    }
}
