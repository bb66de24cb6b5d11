//! All checks, in order.

use std::path::PathBuf;

use ::tools::{KnownTool, Toolbox};
use support::journal::Events;

use super::clusterctl_config::{self, ClusterctlConfig};
use super::diagnosis::{CHECKS, Diagnosis, Health, HealthCheck};
use super::docker::Engine;
use super::platform::Platform;
use super::{
    completion, disk, docker, ipv6, kernel, memory, registries, repositories, socket, tools,
};

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
    checks.push(docker::judge(engine.as_ref(), platform));
    let engine: Option<Engine> = engine.and_then(Result::ok);
    checks.extend(of_machine(engine.as_ref(), platform));
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

/// The checks of this machine and of the engine that it uses.
fn of_machine(engine: Option<&Engine>, platform: Platform) -> Vec<HealthCheck> {
    let mut checks = vec![socket::judge(engine)];
    checks.extend(kernel::judge(&kernel::read(), platform));
    checks.push(kernel::judge_cgroups(engine));
    checks.push(ipv6::judge(ipv6::is_on(), engine, platform));
    checks.push(memory::judge(memory::available(engine, platform)));
    checks.push(disk::judge(disk::free(engine, platform)));
    checks
}

/// Returns the reasons for which a bootstrap cluster may not come up on this machine, each with its
/// fix; nothing if Docker cannot be asked, which others report.
pub async fn doubts(toolbox: &Toolbox) -> Vec<String> {
    let toolbox = Toolbox { events: Events::none(), ..toolbox.clone() };
    let platform = Platform::current();
    let Ok(docker) = toolbox.find(KnownTool::Docker).await else { return Vec::new() };
    let answer = docker::ask(&docker, &toolbox).await;
    if answer.is_err() {
        return Vec::new();
    }
    let mut checks = vec![docker::judge(Some(&answer), platform)];
    checks.extend(of_machine(answer.as_ref().ok(), platform));
    let doubtful = |check: &HealthCheck| matches!(check.health, Health::Warning | Health::Problem);
    let checks = checks.into_iter().filter(doubtful);
    checks
        .map(|check| {
            let fix = check.fix.map(|fix| format!(" ({fix})")).unwrap_or_default();
            format!("{}: {}{fix}", check.check, check.found)
        })
        .collect()
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
