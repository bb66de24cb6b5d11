//! The dry-run. Asks plugins; touches no cluster and writes nothing.

use blueprint::Blueprint;
use plugin_host::Registry;
use serde::Serialize;
use serde_json::{Value, json};
use support::redact::Redactor;
use tools::{KnownTool, ToolCommand, Toolbox};

use super::context::{check_skips, described, draft};
use super::document::PivotDocument;
use super::error::{StepError, WorkflowError};
use super::order::Step;
use super::spec::Spec;
use super::steps;

/// The steps of a run, before it is begun.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "PivotOutline"))]
#[serde(rename_all = "camelCase")]
pub struct Outline {
    /// `kubectl-pivot.io/v1alpha1`.
    pub api_version: &'static str,
    /// `PivotOutline`.
    pub kind: &'static str,
    /// Name of the run and the Cluster.
    pub name: String,
    /// Namespace of the Cluster.
    pub namespace: String,
    /// The steps, in order.
    pub steps: Vec<OutlineStep>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OutlineStep {
    /// Name of the step.
    pub step: Step,
    /// Title of the step.
    pub title: &'static str,
    /// Steps that it waits for; steps that need the same overlap.
    pub needs: &'static [Step],
    /// The work of the step, in sentences.
    pub does: Vec<String>,
    /// Commands that it runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<String>,
    /// Objects that it applies, or files that it hands to programs, without the values of Secrets
    /// and those of `--cni-values`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub applies: Vec<Value>,
}

/// Descriptions of steps.
#[derive(Debug, Default)]
pub(super) struct StepPreview {
    pub(super) does: Vec<String>,
    pub(super) runs: Vec<String>,
    pub(super) applies: Vec<Value>,
}

impl StepPreview {
    pub(super) fn says(text: impl Into<String>) -> Self {
        Self { does: vec![text.into()], ..Self::default() }
    }

    #[must_use]
    pub(super) fn running(mut self, tool: KnownTool, command: &ToolCommand) -> Self {
        self.runs.push(command.line(tool.name()));
        self
    }

    #[must_use]
    pub(super) fn applying(mut self, objects: impl IntoIterator<Item = Value>) -> Self {
        self.applies.extend(objects);
        self
    }

    #[must_use]
    pub(super) fn and(mut self, text: impl Into<String>) -> Self {
        self.does.push(text.into());
        self
    }
}

/// Facts that are known before anything exists.
pub(super) struct DryRun<'a> {
    pub(super) spec: &'a Spec,
    pub(super) blueprint: &'a Blueprint,
}

impl DryRun<'_> {
    /// The objects of the cluster, as far as they are known without a management cluster.
    pub(super) fn objects(&self) -> Result<Vec<Value>, StepError> {
        draft(self.spec, self.blueprint)
    }

    /// Sentences of the plugin about them.
    pub(super) fn notes(&self) -> Result<Vec<String>, StepError> {
        match self.spec.document.spec.cluster_manifest {
            Some(_) => Ok(Vec::new()),
            None => Ok(self.blueprint.manifests()?.notes),
        }
    }
}

/// Outlines a run. Values of secret variables are not shown.
///
/// # Errors
/// The document is not complete, a plugin refuses, or the user's kubeconfig cannot take the target
/// in.
pub async fn outline(
    document: PivotDocument,
    registry: &Registry,
    mut toolbox: Toolbox,
) -> Result<Outline, WorkflowError> {
    let spec = Spec::resolve(document)?;
    let blueprint = described(&spec, registry, (&mut toolbox, None)).await?;
    check_skips(&spec, &blueprint)?;
    check(&spec, &blueprint, &toolbox)
        .await
        .map_err(|error| WorkflowError::before_all(&spec.name, error))?;
    let sketch = DryRun { spec: &spec, blueprint: &blueprint };
    let mut steps = Vec::new();
    for step in Step::ALL {
        let drafted = steps::sketch(step, &sketch);
        let StepPreview { does, runs, applies } =
            drafted.map_err(|error| WorkflowError::before_all(&spec.name, error))?;
        let applies = applies.into_iter().map(hide_secrets);
        let applies = applies.map(|object| without_secrets(object, &toolbox.redactor)).collect();
        steps.push(OutlineStep {
            step,
            title: step.title(),
            needs: step.needs(),
            does,
            runs,
            applies,
        });
    }
    Ok(Outline {
        api_version: super::document::API_VERSION,
        kind: "PivotOutline",
        name: spec.name.clone(),
        namespace: spec.namespace.clone(),
        steps,
    })
}

/// As strict as the preflight of a run, as far as nothing has to be there.
async fn check(spec: &Spec, blueprint: &Blueprint, toolbox: &Toolbox) -> Result<(), StepError> {
    let objects = draft(spec, blueprint)?;
    steps::check_plugins(spec, blueprint, (&objects, &toolbox.events)).await
}

/// Secrets of variables stand in other objects too, for example in files of a
/// KubeadmControlPlane.
fn without_secrets(value: Value, redactor: &Redactor) -> Value {
    let clean = |value| without_secrets(value, redactor);
    match value {
        Value::String(text) if redactor.holds_secret(&text) => redactor.text(&text).into(),
        Value::Array(items) => items.into_iter().map(clean).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, clean(value))).collect()
        }
        other => other,
    }
}

fn hide_secrets(mut object: Value) -> Value {
    if object["kind"] == "Secret" {
        for field in ["data", "stringData"] {
            let values = object.get_mut(field).and_then(Value::as_object_mut);
            for value in values.into_iter().flat_map(|data| data.values_mut()) {
                *value = json!(support::redact::REDACTED);
            }
        }
    }
    object
}
