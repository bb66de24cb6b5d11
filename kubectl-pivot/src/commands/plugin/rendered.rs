//! `plugin check` of what a plugin renders: against a file of before, and against the schemas and
//! webhooks of a real API server.

use std::fs;
use std::path::{Path, PathBuf};

use blueprint::served_by;
use capi::{ResourceType, group_of};
use cluster::{Client, KubeconfigRef, PatchKind, Served, WriteOptions};
use kubectl_pivot_plugin_api::ClusterRequest;
use kubectl_pivot_plugin_api::values::fill_from_env;
use plugin_host::{CallError, Plugin};
use serde_json::Value;
use support::causes::in_one_line;
use support::yaml;

use super::new::NewPluginError;
use crate::commands::CommandError;

/// Owner of the fields in a dry-run.
const MANAGER: &str = "kubectl-pivot-check";

/// Files and clusters against which the rendered objects are held.
#[derive(Clone, Debug, Default)]
pub struct RenderedChecks {
    /// Variables of the plugin.
    pub variables: Vec<(String, String)>,
    /// A file with the objects as they were. It is written if it is not there.
    pub golden: Option<PathBuf>,
    /// A management cluster, whose API server judges the objects; nothing is stored.
    pub cluster: Option<KubeconfigRef>,
}

/// Findings, one sentence each.
pub(super) async fn findings(
    plugin: &Plugin,
    checks: &RenderedChecks,
) -> Result<Vec<String>, CommandError> {
    if checks.golden.is_none() && checks.cluster.is_none() {
        return Ok(Vec::new());
    }
    let client = match &checks.cluster {
        Some(kubeconfig) => Some(Client::connect("management", kubeconfig).await?),
        None => None,
    };
    let objects = match render(plugin, checks, client.as_ref()).await? {
        Ok(objects) => objects,
        Err(error) => return Ok(vec![format!("nothing is rendered: {}", in_one_line(&error))]),
    };
    let mut findings = Vec::new();
    if objects.is_empty() {
        findings.push(
            "no objects are rendered, so there is nothing to hold against anything".to_owned(),
        );
    }
    if let Some(file) = &checks.golden {
        findings.extend(differs(file, &objects)?);
    }
    if let Some(client) = &client {
        findings.extend(refused(client, &objects).await?);
    }
    Ok(findings)
}

async fn render(
    plugin: &Plugin,
    checks: &RenderedChecks,
    client: Option<&Client>,
) -> Result<Result<Vec<Value>, CallError>, CommandError> {
    let mut request = ClusterRequest::named("golden");
    request.variables.extend(checks.variables.iter().map(|(n, v)| (n.clone(), v.as_str().into())));
    if let Some(client) = client {
        request.served = served_by(client).await?;
    }
    let declared = match plugin.variables() {
        Ok(declared) => declared,
        Err(error) => return Ok(Err(error)),
    };
    fill_from_env(&declared, &mut request.variables, |name| std::env::var(name).ok());
    let rendered = plugin.infrastructure().and_then(|plugin| plugin.render(&request));
    Ok(rendered.map(|manifests| manifests.objects))
}

fn differs(file: &Path, objects: &[Value]) -> Result<Option<String>, CommandError> {
    let io = |source| NewPluginError::Io { path: file.to_owned(), source };
    let now = yaml::stream(objects);
    let before = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            fs::write(file, now).map_err(io)?;
            return Ok(None);
        }
        Err(error) => return Err(io(error).into()),
    };
    let mut lines = before.lines().zip(now.lines()).enumerate();
    let difference = match lines.find(|(_, (before, now))| before != now) {
        Some((at, (before, now))) => format!("in line {}: `{before}` is now `{now}`", at + 1),
        None if before == now => return Ok(None),
        None => "one of them has more lines".to_owned(),
    };
    Ok(Some(format!(
        "the objects are not those of {}, {difference}; remove the file to have it written anew",
        file.display()
    )))
}

async fn refused(client: &Client, objects: &[Value]) -> Result<Vec<String>, CommandError> {
    let served = Served::read(client).await?;
    let options = WriteOptions { dry_run: true, ..WriteOptions::manager(MANAGER) };
    let mut findings = Vec::new();
    for object in objects {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (api_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
        let name = text(&object["metadata"]["name"]);
        let Some(resource) = resource(&served, &api_version, &kind) else {
            findings.push(format!("{api_version} {kind} is not served by {}", client.server()));
            continue;
        };
        let namespace = object["metadata"]["namespace"].as_str();
        let patch = (PatchKind::Apply, object);
        match client.patch(&resource, (namespace, &name), patch, &options).await {
            Err(error) if error.is_unreachable() => return Err(error.into()),
            Err(error) => findings.push(format!("{kind} `{name}`: {}", in_one_line(&error))),
            Ok(_) => {}
        }
    }
    Ok(findings)
}

/// The type of an object; of the core group there are only kinds that move.
fn resource(served: &Served, api_version: &str, kind: &str) -> Option<ResourceType> {
    if let ("v1", "Secret" | "ConfigMap") = (api_version, kind) {
        return Some(ResourceType::core(kind, &format!("{}s", kind.to_lowercase())));
    }
    let (_, version) = api_version.split_once('/')?;
    let versions = served.versions(group_of(api_version), kind).iter();
    versions.into_iter().find(|known| known.version == version).cloned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_golden_file_is_written_once_and_compared_then() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let file = dir.path().join("golden.yaml");
        let objects = [json!({"kind": "Cluster", "spec": {"replicas": 1}})];
        let compare = |objects: &[Value]| differs(&file, objects).expect("readable");
        assert_eq!(compare(&objects), None);
        assert_eq!(compare(&objects), None, "the same");
        let finding = compare(&[json!({"kind": "Cluster", "spec": {"replicas": 2}})]);
        let finding = finding.expect("it differs");
        assert!(finding.contains("in line 4: `  replicas: 1` is now `  replicas: 2`"), "{finding}");
        assert!(compare(&[]).is_some());
    }
}
