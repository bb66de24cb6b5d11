//! Harness of the end-to-end tests: control planes in pairs, populations, comparison of clusters,
//! and the two programs that are compared.

pub mod deviation;
pub mod dump;
pub mod history;
pub mod population;
pub mod program;
pub mod suite;
pub mod twins;

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
