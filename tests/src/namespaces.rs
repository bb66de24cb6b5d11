//! Namespaces on their way out: the namespace controller takes at least five seconds for one.

use std::time::{Duration, Instant};

use kubectl_pivot::capi::ResourceType;

use crate::twins::Plane;

/// Pause between two looks at a namespace.
const INTERVAL: Duration = Duration::from_millis(100);

/// How long an empty namespace may take to go.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Namespaces.
pub fn namespace_type() -> ResourceType {
    ResourceType::new("v1", "Namespace", "namespaces", false)
}

/// Waits until a namespace that is being deleted has gone: its name can be used again. Who only wants to
/// know what is in it need not wait, see [`RawDump::without_terminating`].
///
/// [`RawDump::without_terminating`]: crate::dump::RawDump::without_terminating
///
/// # Panics
/// When it does not go: something is left in it.
pub async fn wait_gone(plane: &Plane, name: &str) {
    let is_going = async || {
        let found = plane.client().get(&namespace_type(), None, name).await;
        found.expect("namespaces can be read").is_some_and(|found| found.is_being_deleted())
    };
    let begun = Instant::now();
    while is_going().await {
        assert!(begun.elapsed() < TIMEOUT, "namespace {name} is deleted, but not empty");
        tokio::time::sleep(INTERVAL).await;
    }
}
