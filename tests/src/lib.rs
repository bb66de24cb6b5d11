//! Harness of the end-to-end tests.

use std::process::{Command, Stdio};

/// Those of `pids` that exist, zombies included.
#[must_use]
pub fn pids_alive(pids: &[u32]) -> Vec<u32> {
    let exists = |pid: &u32| {
        let probe = Command::new("sh")
            .args(["-c", &format!("kill -0 {pid}")])
            .stderr(Stdio::null())
            .status();
        probe.is_ok_and(|status| status.success())
    };
    pids.iter().copied().filter(exists).collect()
}
