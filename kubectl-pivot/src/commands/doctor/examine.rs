//! All checks, in order.

use std::path::PathBuf;

use ::tools::{KnownTool, Toolbox};
use support::journal::Events;

use super::clusterctl_config::{self, ClusterctlConfig};
use super::diagnosis::{CHECKS, Diagnosis, HealthCheck};
use super::docker::Engine;
use super::platform::Platform;
use super::{completion, disk, docker, kernel, memory, registries, repositories, tools};

/// The request of `doctor`.
#[derive(Clone, Debug, Default)]
pub struct DoctorRequest {
    /// The programs.
    pub toolbox: Toolbox,
    /// `clusterctl.yaml`; where clusterctl looks for it if absent.
    pub clusterctl_config: Option<PathBuf>,
    /// Hosts to reach instead of the usual registries.
    pub registries: Vec<String>,
}

/// Examines this machine.
pub async fn doctor(request: &DoctorRequest, events: &Events) -> Diagnosis {
    let platform = Platform::current();
    let mut checks = Vec::new();
    events.doing("asking programs for their versions");
    let found = tools::find(&request.toolbox).await;
    checks.extend(found.iter().map(tools::judge));
    checks.push(completion::judge(&completion::look(&found)));
    let docker = found.iter().find(|(known, _)| *known == KnownTool::Docker);
    events.doing("asking Docker");
    let engine = match docker {
        Some((_, Ok(docker))) => Some(docker::ask(docker, &request.toolbox).await),
        _ => None,
    };
    checks.extend(docker::judge(engine.as_ref(), platform));
    let engine: Option<Engine> = engine.and_then(Result::ok);
    checks.extend(kernel::judge(&kernel::read(), platform));
    checks.push(kernel::judge_cgroups(engine.as_ref()));
    checks.push(memory::judge(memory::available(engine.as_ref(), platform)));
    checks.push(disk::judge(disk::free(engine.as_ref(), platform)));
    let config = clusterctl_config::read(request.clusterctl_config.as_deref());
    checks.push(clusterctl_config::judge(&config));
    let config = config.ok().flatten().unwrap_or_default();
    checks.push(repositories::judge(&config));
    checks.push(check_registries(request, &config, events).await);
    debug_assert!(checks.iter().map(|check| check.check).eq(CHECKS.iter().map(|(name, _)| *name)));
    Diagnosis {
        api_version: "kubectl-pivot.io/v1alpha1",
        kind: "Diagnosis",
        platform: platform.to_string(),
        checks,
    }
}

async fn check_registries(
    request: &DoctorRequest,
    config: &ClusterctlConfig,
    events: &Events,
) -> HealthCheck {
    let hosts = registries::hosts(&request.registries, config);
    events.doing(format!("connecting to {}", hosts.join(", ")));
    registries::judge(&registries::connect(&hosts).await, config.is_local())
}
