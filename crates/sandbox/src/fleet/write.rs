//! Carrying out blueprints: bounded, concurrent, with the uids of owners filled in.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use capi::Object;
use cluster::{ApiError, Client, PatchKind, WriteOptions};
use futures::future::try_join_all;
use serde_json::{Value, json};
use support::journal::Events;
use tokio::sync::Semaphore;

use super::blueprint::{Blueprint, How, Write};
use super::options::FleetError;

/// Uids of the objects written so far, by kind and name.
type Uids = HashMap<(String, String), String>;

/// Writes objects into one namespace.
pub(super) struct Writer<'a> {
    client: &'a Client,
    namespace: &'a str,
    slots: Semaphore,
    done: AtomicUsize,
    total: usize,
    events: &'a Events,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        client: &'a Client,
        namespace: &'a str,
        max_in_flight: usize,
        (total, events): (usize, &'a Events),
    ) -> Self {
        let slots = Semaphore::new(max_in_flight.clamp(1, Semaphore::MAX_PERMITS));
        Self { client, namespace, slots, done: AtomicUsize::new(0), total, events }
    }

    /// Writes the objects of one cluster, a stage after the other.
    pub(super) async fn write_cluster(
        &self,
        stages: Vec<Vec<Blueprint>>,
    ) -> Result<(), FleetError> {
        let mut uids = Uids::new();
        for stage in stages {
            let objects = stage.iter().map(|blueprint| self.write_object(blueprint, &uids));
            for object in try_join_all(objects).await? {
                let id = (object.kind().to_owned(), object.name().to_owned());
                uids.insert(id, object.uid().to_owned());
            }
        }
        Ok(())
    }

    async fn write_object(&self, blueprint: &Blueprint, uids: &Uids) -> Result<Object, FleetError> {
        let mut object = Object::new(json!({}));
        for write in &blueprint.writes {
            let body = complete(write, &object, uids);
            object = self.send(blueprint, write, &body).await?;
            if let Some(field) = lost(&body, object.value(), "") {
                return Err(FleetError::NotStored { object: blueprint.id(self.namespace), field });
            }
        }
        object.set_type(&blueprint.kind.api_version(), &blueprint.kind.kind);
        self.events.progress(self.done.fetch_add(1, Ordering::Relaxed) + 1, self.total);
        Ok(object)
    }

    async fn send(
        &self,
        blueprint: &Blueprint,
        write: &Write,
        body: &Value,
    ) -> Result<Object, ApiError> {
        let _slot = self.slots.acquire().await.expect("the semaphore is never closed");
        let kind = blueprint.kind;
        let target = (Some(self.namespace), blueprint.name.as_str());
        let options = WriteOptions::manager(write.manager);
        let whole = || identified(body, blueprint, self.namespace);
        match write.how {
            How::Create => self.client.create(kind, &Object::new(whole()), &options).await,
            How::Apply => {
                self.client.patch(kind, target, (PatchKind::Apply, &whole()), &options).await
            }
            How::Merge => self.client.patch(kind, target, (PatchKind::Merge, body), &options).await,
            How::Status => {
                let options = options.status();
                self.client.patch(kind, target, (PatchKind::Merge, body), &options).await
            }
        }
    }
}

/// The body with type, name and namespace.
fn identified(body: &Value, blueprint: &Blueprint, namespace: &str) -> Value {
    let mut body = body.clone();
    body["apiVersion"] = json!(blueprint.kind.api_version());
    body["kind"] = json!(blueprint.kind.kind);
    body["metadata"]["name"] = json!(blueprint.name);
    body["metadata"]["namespace"] = json!(namespace);
    body
}

/// Adds what only the API server knows: uids of owners, the generation that a status is about.
fn complete(write: &Write, object: &Object, uids: &Uids) -> Value {
    let mut body = write.body.clone();
    let owners = body.pointer_mut("/metadata/ownerReferences").and_then(Value::as_array_mut);
    for owner in owners.into_iter().flatten() {
        let id = [&owner["kind"], &owner["name"]].map(|text| text.as_str().unwrap_or_default());
        let uid = uids.get(&(id[0].to_owned(), id[1].to_owned()));
        owner["uid"] = json!(uid.expect("the plan has owners in an earlier stage"));
    }
    if write.how == How::Status {
        observe(&mut body["status"], &object.value()["metadata"]["generation"]);
    }
    body
}

fn observe(status: &mut Value, generation: &Value) {
    if let Some(observed) = status.get_mut("observedGeneration") {
        *observed = generation.clone();
    }
    for condition in status["conditions"].as_array_mut().into_iter().flatten() {
        condition["observedGeneration"] = generation.clone();
    }
}

/// Path of the first field that was sent and is not in the answer.
fn lost(sent: &Value, stored: &Value, path: &str) -> Option<String> {
    match (sent, stored) {
        (Value::Object(sent), Value::Object(stored)) => sent.iter().find_map(|(key, value)| {
            lost(value, stored.get(key).unwrap_or(&Value::Null), &format!("{path}/{key}"))
        }),
        (Value::Array(sent), Value::Array(stored)) if sent.len() == stored.len() => {
            let mut pairs = sent.iter().zip(stored).enumerate();
            pairs.find_map(|(index, (sent, stored))| lost(sent, stored, &format!("{path}/{index}")))
        }
        _ => (sent != stored).then(|| path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_may_be_added_but_nothing_may_be_lost() {
        let sent = json!({"spec": {"a": [{"b": 1}], "c": {}}});
        let stored = json!({"spec": {"a": [{"b": 1, "x": 2}], "c": {"y": 3}}, "status": {}});
        assert_eq!(lost(&sent, &stored, ""), None);
        assert_eq!(lost(&stored, &sent, ""), Some("/spec/a/0/x".to_owned()));
        assert_eq!(lost(&json!({"a": [1]}), &json!({"a": []}), ""), Some("/a".to_owned()));
        assert_eq!(lost(&json!({"a": 1}), &json!({"a": 2}), ""), Some("/a".to_owned()));
    }
}
