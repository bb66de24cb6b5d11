//! The history of the objects of a cluster, read from the API server.
//!
//! A watch from an earlier version replays every change since, so what was visible only for a
//! moment, such as the last annotations of a deleted object, can be checked afterwards.

use std::path::Path;

use capi::{Object, ResourceType};
use cluster::KubeconfigRef;
use kube::Client;
use serde_json::Value;

/// Announcements of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Created.
    Added,
    /// Changed.
    Modified,
    /// Gone; the object is as it was last.
    Deleted,
}

/// Reads histories of one cluster.
#[derive(Clone)]
pub struct History(Client);

impl History {
    /// Connects.
    ///
    /// # Panics
    /// When the kubeconfig cannot be used.
    pub async fn connect(kubeconfig: &Path) -> Self {
        let config = KubeconfigRef::file(kubeconfig).load().expect("a usable kubeconfig");
        Self(Client::try_from(config).expect("a usable kubeconfig"))
    }

    /// The present version of a collection, to ask for the changes since.
    ///
    /// # Panics
    /// When the list fails.
    pub async fn now(&self, kind: &ResourceType) -> String {
        let list = self.text(&format!("{}?limit=1", kind.collection(None))).await;
        let list: Value = serde_json::from_str(&list).expect("a list is JSON");
        list["metadata"]["resourceVersion"].as_str().expect("lists have a version").to_owned()
    }

    /// The changes of a namespace's objects since a version, in order.
    ///
    /// # Panics
    /// When the watch fails.
    pub async fn since(
        &self,
        kind: &ResourceType,
        namespace: &str,
        version: &str,
    ) -> Vec<(Change, Object)> {
        let path = kind.collection(Some(namespace));
        let text =
            self.text(&format!("{path}?watch=1&timeoutSeconds=1&resourceVersion={version}")).await;
        text.lines().map(event).collect()
    }

    async fn text(&self, path: &str) -> String {
        let request = http::Request::get(path).body(Vec::new()).expect("a valid path");
        self.0.request_text(request).await.unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

fn event(line: &str) -> (Change, Object) {
    let mut event: Value = serde_json::from_str(line).expect("watch events are JSON");
    let change = match event["type"].as_str() {
        Some("ADDED") => Change::Added,
        Some("MODIFIED") => Change::Modified,
        Some("DELETED") => Change::Deleted,
        _ => panic!("unexpected watch event: {line}"),
    };
    (change, Object::new(event["object"].take()))
}
