//! Memory for the nodes.

use std::fs;

use super::diagnosis::{GIB, HealthCheck};
use super::docker::Engine;
use super::platform::Platform;

/// One bootstrap cluster, one control plane, one worker, and images that are being unpacked.
const LEAST: u64 = 2 * GIB;
const GOOD: u64 = 4 * GIB;

/// Bytes that containers can have: what this kernel has left, or what Docker's machine has.
pub(super) fn available(engine: Option<&Engine>, platform: Platform) -> Option<u64> {
    let machine = engine.and_then(|engine| engine.memory);
    match platform {
        Platform::MacOs => machine,
        Platform::Linux => {
            let here =
                fs::read_to_string("/proc/meminfo").ok().and_then(|text| mem_available(&text));
            // An engine elsewhere may have less.
            here.into_iter().chain(machine).min()
        }
    }
}

fn mem_available(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

pub(super) fn judge(available: Option<u64>) -> HealthCheck {
    const NAME: &str = "memory";
    let Some(bytes) = available else {
        return HealthCheck::not_applicable(NAME, "not known without Docker's engine");
    };
    let fix = "end other programs, or give Docker's virtual machine more; a bootstrap cluster and \
               a cluster of two machines need about 2 GiB";
    HealthCheck::bytes(NAME, bytes, (LEAST, GOOD), ("available", fix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::diagnosis::Health;

    #[test]
    fn memory_is_judged() {
        for (available, health) in [
            (Some(GIB), Health::Problem),
            (Some(3 * GIB), Health::Warning),
            (Some(8 * GIB), Health::Good),
            (None, Health::NotApplicable),
        ] {
            assert_eq!(judge(available).health, health, "{available:?}");
        }
    }

    #[test]
    fn the_kernels_table_is_read() {
        let text = "MemTotal:  100 kB\nMemFree:   1 kB\nMemAvailable:   2048 kB\n";
        assert_eq!(mem_available(text), Some(2 << 20));
        assert_eq!(mem_available("MemAvailable: many"), None);
        let engine = Engine { memory: Some(5), ..Engine::default() };
        assert_eq!(available(Some(&engine), Platform::MacOs), Some(5));
        assert_eq!(available(Some(&engine), Platform::Linux), Some(5));
        assert_eq!(available(None, Platform::MacOs), None);
    }
}
