//! IPv6 of this kernel: the plugin docker makes a bootstrap cluster with both IP versions.

use std::fs;
use std::path::Path;

use super::diagnosis::HealthCheck;
use super::docker::{Engine, Home};
use super::platform::Platform;

/// Returns true if the kernel has IPv6 and it is on.
pub(super) fn is_on() -> bool {
    let off = fs::read_to_string("/proc/sys/net/ipv6/conf/all/disable_ipv6");
    Path::new("/proc/net/if_inet6").exists() && off.is_ok_and(|off| off.trim() == "0")
}

pub(super) fn judge(is_on: bool, engine: Option<&Engine>, platform: Platform) -> HealthCheck {
    const NAME: &str = "ipv6";
    let is_here = engine.is_none_or(|engine| matches!(engine.home, Home::Here | Home::Rootless));
    if platform == Platform::MacOs || !is_here {
        return HealthCheck::not_applicable(NAME, "containers do not run on this kernel");
    }
    match is_on {
        true => HealthCheck::good(NAME, "the kernel has IPv6"),
        false => HealthCheck::warning(
            NAME,
            "IPv6 is off in this kernel, and the plugin docker wants both IP versions",
            "give --set bootstrap-ip-family=ipv4 when you create a cluster, or turn it on: \
             `sudo sysctl net.ipv6.conf.all.disable_ipv6=0`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::diagnosis::Health;

    #[test]
    fn a_kernel_without_ipv6_is_reported_where_containers_use_it() {
        let engine = |home: Home| Engine { home, ..Engine::default() };
        for (is_on, home, platform, health) in [
            (true, Home::Here, Platform::Linux, Health::Good),
            (false, Home::Here, Platform::Linux, Health::Warning),
            (false, Home::Machine("Colima"), Platform::Linux, Health::NotApplicable),
            (false, Home::Here, Platform::MacOs, Health::NotApplicable),
        ] {
            assert_eq!(judge(is_on, Some(&engine(home)), platform).health, health, "{home:?}");
        }
    }
}
