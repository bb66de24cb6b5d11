//! A stand-in for the namespace controller of a cluster, which the control planes here do not have:
//! without it a namespace that was deleted never goes.
//!
//! The real one deletes what is in the namespace. This one only waits until nothing is, so what a
//! run forgets in a namespace shows.

use std::time::{Duration, Instant};

use kubectl_pivot::capi::{Object, ResourceType};
use kubectl_pivot::cluster::{ApiError, Client, WriteOptions};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::dump::{Kinds, RawDump};
use crate::twins::Plane;

/// Pause between two looks at the namespaces.
const INTERVAL: Duration = Duration::from_millis(100);

/// How long an empty namespace may take to go.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Works until it is dropped.
pub struct NamespaceController(JoinHandle<()>);

impl NamespaceController {
    /// Begins to work for a control plane.
    pub fn start(plane: &Plane) -> Self {
        let (client, kinds) = (plane.client().clone(), plane.kinds().clone());
        Self(tokio::spawn(async move {
            loop {
                // An API server that is down for a while is one of the things that are tested.
                let _ = finish(&client, &kinds).await;
                tokio::time::sleep(INTERVAL).await;
            }
        }))
    }
}

impl Drop for NamespaceController {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Namespaces.
pub fn namespace_type() -> ResourceType {
    ResourceType::new("v1", "Namespace", "namespaces", false)
}

/// Waits until a namespace that is being deleted has gone.
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

/// Finalizes the namespaces that are being deleted and are empty.
async fn finish(client: &Client, kinds: &Kinds) -> Result<(), ApiError> {
    let namespaces = client.list(&namespace_type(), None).await?;
    for mut namespace in namespaces.into_iter().filter(Object::is_being_deleted) {
        let content = RawDump::read(client, kinds, &[namespace.name()]).await?;
        if content.objects().iter().any(|object| object.namespace().is_some()) {
            continue;
        }
        namespace.value_mut()["spec"]["finalizers"] = json!([]);
        let options = WriteOptions { subresource: Some("finalize"), ..WriteOptions::default() };
        client.update(&namespace_type(), &namespace, &options).await?;
    }
    Ok(())
}
