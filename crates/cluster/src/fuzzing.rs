//! Targets of fuzzing: what comes from API servers, in every form that is asked for, what is made
//! of it, and kubeconfigs.

use std::sync::Arc;

use capi::{
    Graph, MoveKind, Object, ResourceType, Scope, cluster_class_of, managed_fields, reports_pause,
    unprovisioned_reason,
};
use futures::StreamExt as _;
use http::Response;
use kube::client::Body;
use serde_json::Value;
use support::causes::in_one_line;
use tokio::runtime::{Builder, Runtime};

use super::answer::{Form, read_answer};
use super::list::check_names;
use crate::{KubeconfigRef, Served};

const FORMS: [Form; 5] = [Form::Object, Form::Page, Form::Discovery, Form::Json, Form::Text];

thread_local! {
    static RUNTIME: Runtime =
        Builder::new_current_thread().enable_all().build().expect("a runtime");
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// Reads an answer in each form, as a success and as an error.
pub fn answers(text: &[u8]) {
    for form in FORMS {
        for status in [200, 403] {
            let response = Response::builder().status(status).body(Body::from(text.to_vec()));
            let read = wait(read_answer(response.expect("a response"), form));
            match (read, form) {
                (Ok(answer), Form::Discovery) => drop(Served::aggregated(&answer.value)),
                (Ok(answer), Form::Page) => use_page(&answer.value),
                (Ok(answer), Form::Object) => use_object(&Object::new(answer.value)),
                (Ok(_), _) => {}
                (Err((cause, _)), _) => assert!(!cause.to_string().is_empty()),
            }
        }
    }
}

/// Reads the lines of a watch.
pub fn events(text: &[u8]) {
    let reading = super::events::events(Body::from(text.to_vec())).collect::<Vec<_>>();
    let events: Vec<_> = wait(reading);
    let failed = events.iter().position(Result::is_err);
    assert!(failed.is_none_or(|at| at + 1 == events.len()), "it ends with its first error");
}

/// Reads a kubeconfig.
pub fn kubeconfigs(text: &[u8]) {
    let file = fuzz::written("kubeconfig", text);
    if let Err(error) = KubeconfigRef::file(&file).load() {
        assert!(!in_one_line(&error).is_empty());
    }
}

/// Does with the items of a list what a move does with them.
fn use_page(page: &Value) {
    let kind = ResourceType::new("cluster.x-k8s.io/v1beta2", "Cluster", "clusters", true);
    let mut objects = Vec::new();
    for item in page.get("items").and_then(Value::as_array).into_iter().flatten() {
        let mut object = Object::new(item.clone());
        object.set_type(&kind.api_version(), &kind.kind);
        use_object(&object);
        if check_names(&kind, None, &object, false).is_ok() {
            objects.push((0, object));
        }
    }
    let kinds = vec![MoveKind {
        resource: kind,
        moves: false,
        moves_hierarchy: true,
        has_status_subresource: true,
        converted_to: None,
        knowledge: None,
    }];
    let _ = Graph::build(Arc::new(kinds), objects, &Scope::default());
}

fn use_object(object: &Object) {
    let _ = (object.id(), object.finalizers(), object.owner_references());
    let _ = (reports_pause(object), unprovisioned_reason(object), cluster_class_of(object));
    let entries = managed_fields::for_copy(object.managed_fields(), &Default::default(), "us");
    let _ = managed_fields::comparable(&entries);
    let mut changed = object.clone();
    changed.set_annotation("a", "b");
    changed.remove_server_fields();
    assert_eq!(changed.annotation("a"), Some("b"));
}

#[cfg(test)]
mod tests {
    use fuzz::pass;

    #[test]
    fn fuzz_answers() {
        pass("answers", super::answers);
    }

    #[test]
    fn fuzz_events() {
        pass("events", super::events);
    }

    #[test]
    fn fuzz_kubeconfigs() {
        pass("kubeconfigs", super::kubeconfigs);
    }
}
