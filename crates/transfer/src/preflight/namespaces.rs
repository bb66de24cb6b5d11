//! The namespaces of the target: none that copies need is being deleted, those that it lacks can be
//! created, and those that it has are labelled as in the source.

use std::collections::BTreeSet;

use capi::names::RUN_ANNOTATION;
use capi::{Graph, Object};
use cluster::{ApiErrorCause, WriteOptions};

use crate::error::PhaseError;
use crate::findings::Findings;
use crate::namespaces::{self, Wanted};
use crate::options::Rehearsal;
use crate::run::Run;

/// Checks every namespace that something is copied to.
pub(super) async fn check(
    run: &Run,
    graph: &Graph,
    findings: &mut Findings,
) -> Result<(), PhaseError> {
    for wanted in namespaces::wanted(run, graph).await? {
        match &wanted.in_target {
            Some(found) if found.is_being_deleted() => check_deleted(run, found, findings),
            Some(found) => check_labels(&wanted, found, findings),
            None if run.options.rehearsal == Rehearsal::Off => {}
            None => rehearse(run, &wanted, findings).await?,
        }
    }
    Ok(())
}

/// One that an undo of this run has left is waited for.
fn check_deleted(run: &Run, found: &Object, findings: &mut Findings) {
    if found.annotation(RUN_ANNOTATION) != Some(&run.id) {
        let problem = "it is being deleted, and nothing can be created in it";
        let hint = "wait until it is gone (`kubectl get namespace`); if it does not go, its \
                    conditions name what holds it";
        findings.object_error("NamespaceTerminating", "target", found.id(), problem, hint);
    }
}

fn check_labels(wanted: &Wanted, found: &Object, findings: &mut Findings) {
    // A user who may not read it learns nothing.
    let Some(source) = wanted.in_source.as_ref().filter(|_| !found.uid().is_empty()) else {
        return;
    };
    let differing = differing_labels(&namespaces::carried(source), found);
    if !differing.is_empty() {
        let problem = format!(
            "it is there already, and its labels differ from those in the source: {}",
            differing.into_iter().collect::<Vec<_>>().join(", ")
        );
        let hint = "set these labels in the target if selectors or pod security rely on them; a \
                    move does not change a namespace that it has not created";
        findings.object_warning("NamespaceDiffers", "target", found.id(), &problem, hint);
    }
}

/// The labels that a namespace should have and has not, or with another value.
fn differing_labels(wanted: &Object, found: &Object) -> BTreeSet<String> {
    let labels = wanted.at("/metadata/labels").as_object().into_iter().flatten();
    let differing = labels.filter(|(key, value)| found.label(key) != value.as_str());
    differing.map(|(key, _)| key.clone()).collect()
}

async fn rehearse(run: &Run, wanted: &Wanted, findings: &mut Findings) -> Result<(), PhaseError> {
    let namespace = wanted.to_create(run);
    let kind = namespaces::namespace_type();
    match run.target.create(&kind, &namespace, &WriteOptions::dry_run()).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_already_exists() => Ok(()),
        Err(error) => {
            let hint = error.hint();
            match error.cause {
                ApiErrorCause::Status { code, message, .. } if code < 500 => {
                    let problem = format!("the target would not create this namespace: {message}");
                    findings.object_error("Refused", "target", namespace.id(), &problem, hint);
                    Ok(())
                }
                _ => Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn labels_differ_where_the_target_lacks_one_or_has_another_value() {
        let namespace = |labels: Value| Object::new(json!({"metadata": {"labels": labels}}));
        let wanted = namespace(json!({"a": "1", "b": "2", "c": "3"}));
        let found = namespace(json!({"a": "1", "b": "other", "d": "4"}));
        let differing: Vec<String> = differing_labels(&wanted, &found).into_iter().collect();
        assert_eq!(differing, ["b", "c"]);
    }
}
