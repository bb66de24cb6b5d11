//! Limits of the kernel that break kind: every node is a whole system with its own watches.

use std::fs;

use rustix::process::{Resource, getrlimit};

use super::diagnosis::HealthCheck;
use super::docker::Engine;
use super::platform::Platform;

/// Instances of inotify that the system and the kubelet of one node need, about.
const INSTANCES_OF_A_NODE: u64 = 25;

/// Limits of the kernel; `None` for a limit that it does not report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Limits {
    instances: Option<u64>,
    watches: Option<u64>,
    system_files: Option<u64>,
    process_files: Option<u64>,
}

/// A limit: how it is called, below which it is a problem, and from which on it is good.
struct Limit {
    check: &'static str,
    setting: &'static str,
    problem_below: u64,
    good_from: u64,
    why: &'static str,
}

const INSTANCES: Limit = Limit {
    check: "inotify-instances",
    setting: "fs.inotify.max_user_instances",
    problem_below: 100,
    good_from: 512,
    why: "nodes beyond that fail with \"too many open files\"",
};

const WATCHES: Limit = Limit {
    check: "inotify-watches",
    setting: "fs.inotify.max_user_watches",
    problem_below: 16_384,
    good_from: 65_536,
    why: "pods of several nodes together may need more",
};

const FILES: Limit = Limit {
    check: "open-files",
    setting: "fs.file-max",
    problem_below: 65_536,
    good_from: 262_144,
    why: "all nodes share them",
};

pub(super) fn read() -> Limits {
    let number = |path: &str| fs::read_to_string(path).ok()?.trim().parse().ok();
    Limits {
        instances: number("/proc/sys/fs/inotify/max_user_instances"),
        watches: number("/proc/sys/fs/inotify/max_user_watches"),
        system_files: number("/proc/sys/fs/file-max"),
        process_files: getrlimit(Resource::Nofile).current,
    }
}

pub(super) fn judge(limits: &Limits, platform: Platform) -> [HealthCheck; 3] {
    if platform == Platform::MacOs {
        let why =
            "containers run on the kernel of Docker's virtual machine, which sets this itself";
        return [INSTANCES, WATCHES, FILES]
            .map(|limit| HealthCheck::not_applicable(limit.check, why));
    }
    let about = |instances| {
        format!("enough for about {} nodes; {}", instances / INSTANCES_OF_A_NODE, INSTANCES.why)
    };
    let instances = limits.instances.map_or_else(String::new, about);
    [
        INSTANCES.judge(limits.instances, &instances),
        WATCHES.judge(limits.watches, WATCHES.why),
        judge_files(limits),
    ]
}

/// A limit of this process may be lower, and holds for the programs that it starts.
fn judge_files(limits: &Limits) -> HealthCheck {
    match limits.process_files {
        Some(files) if files < 1024 => HealthCheck::warning(
            FILES.check,
            format!("this process may open {files} files"),
            "raise it with `ulimit -n 4096` in this shell",
        ),
        _ => FILES.judge(limits.system_files, FILES.why),
    }
}

impl Limit {
    fn judge(&self, value: Option<u64>, why: &str) -> HealthCheck {
        let Self { check, setting, problem_below, good_from, .. } = *self;
        let fix = || {
            format!(
                "`sudo sysctl {setting}={good_from}`; a line `{setting}={good_from}` in \
                 /etc/sysctl.d/99-kind.conf keeps it"
            )
        };
        match value {
            None => HealthCheck::not_applicable(check, format!("the kernel has no {setting}")),
            Some(value) if value < problem_below => {
                HealthCheck::problem(check, format!("{setting} is {value}: {why}"), fix())
            }
            Some(value) if value < good_from => {
                HealthCheck::warning(check, format!("{setting} is {value}: {why}"), fix())
            }
            Some(value) => HealthCheck::good(check, format!("{setting} is {value}")),
        }
    }
}

/// Checks that kubelets accept the machine's cgroups.
pub(super) fn judge_cgroups(engine: Option<&Engine>) -> HealthCheck {
    const NAME: &str = "cgroups";
    match engine.map(|engine| engine.cgroup_version.as_str()) {
        None => HealthCheck::not_applicable(NAME, "only Docker's engine can tell, see above"),
        Some("2") => HealthCheck::good(NAME, "version 2"),
        Some("1") => HealthCheck::warning(
            NAME,
            "version 1, which kubelets refuse from Kubernetes 1.35 on",
            "take an older Kubernetes (--kubernetes-version v1.34.0), boot with \
             systemd.unified_cgroup_hierarchy=1, or use a node image whose kubelet has \
             --fail-cgroupv1=false",
        ),
        Some(_) => HealthCheck::not_applicable(NAME, "Docker does not give the version"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::diagnosis::Health;

    fn health(limits: Limits, platform: Platform) -> [Health; 3] {
        judge(&limits, platform).map(|check| check.health)
    }

    #[test]
    fn limits_are_judged_with_a_fix() {
        use Health::{Good, NotApplicable, Problem, Warning};
        let limits = |instances, watches, files| Limits {
            instances: Some(instances),
            watches: Some(watches),
            system_files: Some(files),
            process_files: Some(4096),
        };
        let linux = Platform::Linux;
        assert_eq!(health(limits(512, 524_288, 1_000_000), linux), [Good; 3]);
        assert_eq!(health(limits(128, 20_000, 100_000), linux), [Warning; 3]);
        assert_eq!(health(limits(64, 8_192, 10_000), linux), [Problem; 3]);
        assert_eq!(health(limits(64, 8_192, 10_000), Platform::MacOs), [NotApplicable; 3]);
        assert_eq!(health(Limits::default(), linux), [NotApplicable; 3]);
        let few = Limits { process_files: Some(256), ..limits(512, 524_288, 1_000_000) };
        assert_eq!(health(few, linux), [Good, Good, Warning]);
        let [instances, ..] = judge(&limits(128, 1, 1), linux);
        assert!(
            instances.found.contains("is 128: enough for about 5 nodes"),
            "{}",
            instances.found
        );
        let fix = instances.fix.unwrap_or_default();
        assert!(fix.starts_with("`sudo sysctl fs.inotify.max_user_instances=512`"), "{fix}");
    }

    #[test]
    fn old_cgroups_are_reported() {
        let engine =
            |version: &str| Engine { cgroup_version: version.to_owned(), ..Engine::default() };
        assert_eq!(judge_cgroups(Some(&engine("2"))).health, Health::Good);
        assert_eq!(judge_cgroups(Some(&engine("1"))).health, Health::Warning);
        assert_eq!(judge_cgroups(Some(&engine(""))).health, Health::NotApplicable);
        assert_eq!(judge_cgroups(None).health, Health::NotApplicable);
    }

    #[test]
    fn this_machine_can_be_read() {
        if Platform::current() == Platform::Linux {
            assert!(read().instances.is_some_and(|instances| instances > 0));
            assert!(read().process_files.is_none_or(|files| files > 0));
        }
    }
}
