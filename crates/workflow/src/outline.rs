//! The dry-run. Asks plugins; touches no cluster and writes nothing.

use blueprint::Blueprint;
use plugin_host::Registry;
use serde::Serialize;
use serde_json::{Value, json};
use tools::{KnownTool, ToolCommand};

use super::context::{check_skips, draft};
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
    /// Objects that it applies, or files that it hands to programs, without the values of Secrets and
    /// those of `--cni-values`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub applies: Vec<Value>,
}

/// Descriptions of steps.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) does: Vec<String>,
    pub(super) runs: Vec<String>,
    pub(super) applies: Vec<Value>,
}

impl Draft {
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
pub(super) struct Sketch<'a> {
    pub(super) spec: &'a Spec,
    pub(super) blueprint: &'a Blueprint,
}

impl Sketch<'_> {
    /// The objects of the cluster, as far as they are known without a management cluster.
    pub(super) fn objects(&self) -> Result<Vec<Value>, StepError> {
        draft(self.spec, self.blueprint)
    }
}

/// Outlines a run. Values of secret variables are not shown.
///
/// # Errors
/// The document is not complete, a plugin refuses, or the user's kubeconfig cannot take the target
/// in.
pub fn outline(document: PivotDocument, registry: &Registry) -> Result<Outline, WorkflowError> {
    let spec = Spec::resolve(document)?;
    let blueprint = Blueprint::new(registry, spec.blueprint()?)?;
    check_skips(&spec, &blueprint)?;
    let sketch = Sketch { spec: &spec, blueprint: &blueprint };
    let mut steps = Vec::new();
    for step in Step::ALL {
        let drafted = steps::sketch(step, &sketch);
        let Draft { does, runs, applies } =
            drafted.map_err(|error| WorkflowError::before_all(&spec.name, error))?;
        let applies = applies.into_iter().map(hide_secrets).collect();
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

fn hide_secrets(mut object: Value) -> Value {
    if object["kind"] == "Secret" {
        for field in ["data", "stringData"] {
            for value in
                object[field].as_object_mut().into_iter().flat_map(|data| data.values_mut())
            {
                *value = json!(support::redact::REDACTED);
            }
        }
    }
    object
}
