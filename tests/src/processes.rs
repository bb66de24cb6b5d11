//! Looking at processes from outside.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Ids of the processes whose command line names something below `dir`.
///
/// # Panics
///
/// There is no `ps`.
#[must_use]
pub fn below(dir: &Path) -> Vec<u32> {
    let needle = format!("{}/", dir.display());
    let ps = Command::new("ps").args(["-A", "-ww", "-o", "pid=", "-o", "command="]).output();
    let output = ps.expect("`ps` must be installed for these tests").stdout;
    String::from_utf8_lossy(&output)
        .lines()
        .filter(|line| line.contains(&needle))
        .filter_map(|line| line.split_whitespace().next()?.parse().ok())
        .filter(|pid| *pid != std::process::id())
        .collect()
}

/// Waits up to ten seconds until none of [`below`] is left, and returns those that are.
pub async fn wait_for_none_below(dir: &Path) -> Vec<u32> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let left = below(dir);
        if left.is_empty() || Instant::now() > deadline {
            return left;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
