//! Everything that can be known before the first change.

use support::journal::Events;
use tools::KnownTool;

use super::begun::Begun;
use super::place::Place;
use super::{anew, itself};
use crate::context::{StepContext, Workflow};
use crate::document::Bootstrap;
use crate::error::{StepError, WorkflowError};
use crate::order::Step;

/// The cluster and its machines, for the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prospect {
    /// The Cluster, with kind and namespace.
    pub cluster: String,
    /// URL of the management cluster; absent if the cluster has moved away from it already.
    pub server: Option<String>,
    /// Names of its Machines.
    pub machines: Vec<String>,
}

/// Looks at what would be deleted. Changes nothing.
///
/// # Errors
/// The cluster is not there, does not manage itself, or manages others too.
pub async fn prospect(workflow: &Workflow) -> Result<Prospect, WorkflowError> {
    let step_context = workflow.at(Step::Preflight, Events::none());
    look(&step_context).await.map(|(prospect, _)| prospect).map_err(|source| {
        WorkflowError::Removal {
            name: workflow.spec.name.clone(),
            step: Step::Preflight,
            inspection: Vec::new(),
            source: Box::new(source),
        }
    })
}

pub(super) async fn perform(step_context: &StepContext<'_>) -> Result<String, StepError> {
    let mut found = Vec::new();
    for program in programs(step_context.spec().bootstrap) {
        let tool = step_context.tool(program).await?;
        found.push(format!("{program} {}", tool.version));
    }
    let (prospect, begun) = look(step_context).await?;
    if let Some(begun) = begun {
        begun.write(step_context)?;
    }
    if let Some(server) = prospect.server {
        found.push(server);
    }
    Ok(found.join(", "))
}

/// The programs that a deletion needs.
pub(super) fn programs(bootstrap: Bootstrap) -> Vec<KnownTool> {
    match bootstrap {
        Bootstrap::Kind => vec![KnownTool::Kind, KnownTool::Clusterctl],
        Bootstrap::Existing => vec![KnownTool::Clusterctl],
    }
}

/// Returns also what the folder is to say of it, as long as nothing has moved.
async fn look(step_context: &StepContext<'_>) -> Result<(Prospect, Option<Begun>), StepError> {
    let (namespace, name) = (&step_context.spec().namespace, &step_context.spec().name);
    let mut prospect = Prospect {
        cluster: format!("Cluster {namespace}/{name}"),
        server: None,
        machines: Vec::new(),
    };
    let mut begun = None;
    if let Place::Management(cluster) = anew::look(step_context).await?.place {
        let management = step_context.target().await?;
        itself::check_all(step_context, &management, &cluster).await?;
        let machines = itself::machines(&management, &cluster).await?;
        begun = Some(Begun::new(step_context, management.server(), &cluster));
        prospect.server = Some(management.server().to_owned());
        prospect.machines = machines.iter().map(|machine| machine.name().to_owned()).collect();
    }
    Ok((prospect, begun))
}
