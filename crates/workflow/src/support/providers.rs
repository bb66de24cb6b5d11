//! Installing providers with `clusterctl init`, and telling when they work.

use std::path::Path;
use std::time::{Duration, Instant};

use blueprint::Blueprint;
use capi::{Condition, Object, well_known};
use cluster::{Client, RetryPolicy};
use kubectl_pivot_plugin_api::{ProbeStage, ProvidersToInit};
use support::causes::in_one_line;
use tools::{KnownTool, Tool, ToolCommand};
use transfer::{InstalledProvider, installed_providers};

use super::apply::{Kinds, apply};
use super::probes::{self, ProbeTargets};
use super::wait::{Poll, until};
use crate::context::StepContext;
use crate::error::StepError;
use crate::spec::Spec;
use crate::steps::is_by_addon;

/// Time that clusterctl may take beyond its own wait.
const CLUSTERCTL_EXTRA_TIMEOUT_MIN: Duration = Duration::from_secs(10);
const CLUSTERCTL_EXTRA_TIMEOUT_MAX: Duration = Duration::from_secs(60);

/// Flag of `clusterctl init` for each type of provider in the inventory.
const TYPES: [(&str, &str); 7] = [
    ("--core", "CoreProvider"),
    ("--bootstrap", "BootstrapProvider"),
    ("--control-plane", "ControlPlaneProvider"),
    ("--infrastructure", "InfrastructureProvider"),
    ("--addon", "AddonProvider"),
    ("--ipam", "IPAMProvider"),
    ("--runtime-extension", "RuntimeExtensionProvider"),
];

/// A provider that is wanted: the flag of `clusterctl init`, its type in the inventory, its name
/// with or without a version.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    flag: &'static str,
    kind: &'static str,
    name: String,
}

impl Wanted {
    /// An installed provider at its version; nothing for a type that this program does not know.
    fn same(installed: &InstalledProvider) -> Option<Self> {
        let (flag, kind) = TYPES.into_iter().find(|(_, kind)| *kind == installed.kind)?;
        Some(Self { flag, kind, name: format!("{}:{}", installed.name, installed.version) })
    }

    fn is(&self, installed: &InstalledProvider) -> bool {
        installed.kind == self.kind && installed.name == self.bare_name()
    }

    /// As clusterctl names it in its messages and in labels.
    fn label(&self) -> String {
        let name = self.bare_name();
        match self.flag {
            "--core" => name.to_owned(),
            flag => format!("{}-{name}", flag.trim_start_matches('-')),
        }
    }

    fn bare_name(&self) -> &str {
        self.name.split(':').next().unwrap_or_default()
    }
}

/// Returns the plugin's providers, and the Helm add-on provider if it installs the network.
pub(crate) fn providers(spec: &Spec, blueprint: &Blueprint) -> Result<ProvidersToInit, StepError> {
    let mut providers = blueprint.providers()?;
    let is_helm = |name: &String| name.split(':').next() == Some("helm");
    if !providers.addon.iter().any(is_helm) && is_by_addon(spec, blueprint)? {
        providers.addon.push("helm".to_owned());
    }
    Ok(providers)
}

/// Providers of the user over those of the plugin: a version for one of these, or one more.
fn chosen(spec: &Spec, mut wanted: Vec<Wanted>) -> Vec<Wanted> {
    for given in &spec.document.spec.provider {
        let Some((word, name)) = given.split_once('=') else { continue };
        let of_type = |(flag, _): &(&str, &str)| flag.trim_start_matches('-') == word;
        let Some((flag, kind)) = TYPES.into_iter().find(of_type) else { continue };
        let new = Wanted { flag, kind, name: name.to_owned() };
        let same = |old: &&mut Wanted| old.flag == flag && old.bare_name() == new.bare_name();
        match wanted.iter_mut().find(same) {
            Some(old) => *old = new,
            None => wanted.push(new),
        }
    }
    wanted
}

fn wanted(providers: &ProvidersToInit) -> Vec<Wanted> {
    let or_kubeadm = |names: &[String]| match names {
        [] => vec!["kubeadm".to_owned()],
        names => names.to_vec(),
    };
    let core = providers.core.clone().unwrap_or_else(|| "cluster-api".to_owned());
    let groups = [
        ("--core", "CoreProvider", vec![core]),
        ("--bootstrap", "BootstrapProvider", or_kubeadm(&providers.bootstrap)),
        ("--control-plane", "ControlPlaneProvider", or_kubeadm(&providers.control_plane)),
        ("--infrastructure", "InfrastructureProvider", providers.infrastructure.clone()),
        ("--addon", "AddonProvider", providers.addon.clone()),
        ("--ipam", "IPAMProvider", providers.ipam.clone()),
        ("--runtime-extension", "RuntimeExtensionProvider", providers.runtime_extension.clone()),
    ];
    let all = groups.into_iter().flat_map(|(flag, kind, names)| {
        names.into_iter().map(move |name| Wanted { flag, kind, name })
    });
    all.collect()
}

fn command(spec: &Spec, kubeconfig: &Path, missing: &[Wanted]) -> ToolCommand {
    let mut command = ToolCommand::new(["init"]).flag("--kubeconfig", kubeconfig);
    if let Some(config) = &spec.document.spec.clusterctl_config {
        command = command.flag("--config", config);
    }
    for provider in missing {
        command = command.flag(provider.flag, &provider.name);
    }
    let seconds = spec.timeout.as_secs().to_string();
    // Its own wait ends first, so that the error is clusterctl's.
    command.arg("--wait-providers").flag("--wait-provider-timeout", seconds).within(
        spec.timeout
            + spec.timeout.clamp(CLUSTERCTL_EXTRA_TIMEOUT_MIN, CLUSTERCTL_EXTRA_TIMEOUT_MAX),
    )
}

/// The command that would install all of them.
pub(crate) fn sketch(spec: &Spec, kubeconfig: &Path, providers: &ProvidersToInit) -> ToolCommand {
    command(spec, kubeconfig, &chosen(spec, wanted(providers)))
}

/// Installs what is missing. `like` has the versions that it must have.
pub(crate) async fn ensure(
    step_context: &StepContext<'_>,
    cluster: &Client,
    kubeconfig: &Path,
    like: &[InstalledProvider],
) -> Result<String, StepError> {
    let providers = providers(step_context.spec(), step_context.blueprint())?;
    let mut wanted = chosen(step_context.spec(), wanted(&providers));
    for provider in &mut wanted {
        let same = like.iter().find(|installed| provider.is(installed));
        if let Some(same) = same {
            provider.name = format!("{}:{}", same.name, same.version);
        }
    }
    install(step_context, cluster, kubeconfig, (&wanted, &providers)).await
}

/// Installs all providers of another management cluster, at its versions.
pub(crate) async fn ensure_same(
    step_context: &StepContext<'_>,
    cluster: &Client,
    kubeconfig: &Path,
    like: &[InstalledProvider],
) -> Result<String, StepError> {
    let wanted: Vec<Wanted> = like.iter().filter_map(Wanted::same).collect();
    install(step_context, cluster, kubeconfig, (&wanted, &step_context.blueprint().providers()?))
        .await
}

async fn install(
    step_context: &StepContext<'_>,
    cluster: &Client,
    kubeconfig: &Path,
    (wanted, providers): (&[Wanted], &ProvidersToInit),
) -> Result<String, StepError> {
    let installed = installed_providers(cluster).await?;
    let missing: Vec<Wanted> = wanted
        .iter()
        .filter(|provider| !installed.iter().any(|installed| provider.is(installed)))
        .cloned()
        .collect();
    if missing.is_empty() {
        return Ok(format!("{} providers were there already", wanted.len()));
    }
    let clusterctl = step_context.tool(KnownTool::Clusterctl).await?;
    let mut command = command(step_context.spec(), kubeconfig, &missing);
    for (name, value) in &providers.environment {
        command = command.env(name, value.clone());
    }
    step_context.run(&clusterctl, command).await?;
    // Its exit code is its word, the inventory is the fact.
    let installed = installed_providers(cluster).await?;
    let is_absent = |provider: &&Wanted| !installed.iter().any(|known| provider.is(known));
    if let Some(absent) = missing.iter().find(is_absent) {
        return Err(not_installed(step_context, cluster, &clusterctl, absent));
    }
    let version = |provider: &Wanted| {
        let found = installed.iter().find(|known| provider.is(known));
        found.map(|known| format!("{} {}", provider.label(), known.version))
    };
    let names: Vec<_> = missing.iter().filter_map(version).collect();
    Ok(names.join(", "))
}

fn not_installed(
    step_context: &StepContext<'_>,
    cluster: &Client,
    program: &Tool,
    absent: &Wanted,
) -> StepError {
    let log = step_context.folder().log(step_context.step.name());
    let printed = std::fs::read_to_string(&log).unwrap_or_default();
    StepError::refused(
        format!(
            "clusterctl init succeeded, but the {} cluster has no {} `{}`; its last output: {}",
            cluster.name(),
            absent.kind,
            absent.bare_name(),
            printed.lines().next_back().unwrap_or("nothing")
        ),
        format!(
            "check that {} is clusterctl (--clusterctl names another one); its whole output is in \
             {}",
            program.path.display(),
            log.display()
        ),
    )
}

/// Time in which an API server may not yet say that it serves a kind of a CRD that it has.
const DISCOVERY_LAG: Duration = Duration::from_secs(15);

/// Waits until every Deployment of the providers is available, and their webhooks judge the
/// objects: right after an installation they may still refuse connections, whatever the Deployments
/// say.
pub(crate) async fn answering(
    step_context: &StepContext<'_>,
    cluster: &Client,
    on: ProbeTargets<'_>,
) -> Result<String, StepError> {
    let count = available(step_context, cluster).await?;
    let held = probes::hold(step_context, ProbeStage::ProvidersInstalled, on).await?;
    // Discovery is a moment late too, so it is read each time. The wait itself tries
    // again, and says meanwhile who does not answer.
    let cluster = &cluster.clone().with_retry(RetryPolicy::brief());
    let began = Instant::now();
    until(
        step_context,
        "the providers and their webhooks accept the objects of the cluster",
        async || {
            match rehearse(step_context, cluster).await {
                Ok(()) => Ok(Poll::Ready(())),
                Err(StepError::Api(error)) if is_webhook_silent(&in_one_line(&error)) => {
                    Ok(Poll::Pending(in_one_line(&error)))
                }
                // Their Deployments are available, so their CRDs were applied long ago.
                Err(error @ StepError::Refused { .. }) if began.elapsed() >= DISCOVERY_LAG => {
                    Err(error)
                }
                Err(error @ (StepError::Refused { .. } | StepError::Blueprint(_))) => {
                    Ok(Poll::Pending(in_one_line(&error)))
                }
                Err(error) => Err(error),
            }
        },
    )
    .await?;
    let providers = installed_providers(cluster).await?.len();
    let held = probes::words(held);
    Ok(format!("{providers} providers, {count} deployments available, {held}"))
}

/// Waits until every Deployment of the providers is available, and counts them.
pub(crate) async fn available(
    step_context: &StepContext<'_>,
    cluster: &Client,
) -> Result<usize, StepError> {
    let installed = installed_providers(cluster).await?;
    let deployments = well_known::deployment();
    until(step_context, "the providers are available", async || {
        let mut count = 0;
        for provider in &installed {
            for deployment in cluster.list(&deployments, Some(&provider.namespace)).await? {
                if !is_available(&deployment) {
                    let name = deployment.id();
                    return Ok(Poll::Pending(format!("{name} is not available yet")));
                }
                count += 1;
            }
        }
        Ok(Poll::Ready(count))
    })
    .await
}

async fn rehearse(step_context: &StepContext<'_>, cluster: &Client) -> Result<(), StepError> {
    let kinds = Kinds::read(cluster).await?;
    apply(cluster, &kinds, &step_context.objects(cluster).await?.objects, true).await
}

fn is_available(deployment: &Object) -> bool {
    deployment.condition("Available").is_some_and(Condition::is_true)
}

/// Returns true if an API server reports that a webhook did not answer.
pub(crate) fn is_webhook_silent(text: &str) -> bool {
    text.contains("failed calling webhook") || text.contains("conversion webhook")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_clusterctl() {
        let providers = ProvidersToInit {
            infrastructure: vec!["docker:v1.14.0".to_owned()],
            addon: vec!["helm".to_owned()],
            ..ProvidersToInit::default()
        };
        let names: Vec<_> = wanted(&providers).iter().map(|w| (w.flag, w.name.clone())).collect();
        let expected = [
            ("--core", "cluster-api"),
            ("--bootstrap", "kubeadm"),
            ("--control-plane", "kubeadm"),
            ("--infrastructure", "docker:v1.14.0"),
            ("--addon", "helm"),
        ];
        assert_eq!(names, expected.map(|(flag, name)| (flag, name.to_owned())));
        let labels: Vec<_> = wanted(&providers).iter().map(Wanted::label).collect();
        let expected = [
            "cluster-api",
            "bootstrap-kubeadm",
            "control-plane-kubeadm",
            "infrastructure-docker",
            "addon-helm",
        ];
        assert_eq!(labels, expected);
    }
}
