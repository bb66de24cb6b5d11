//! Everything that can be known before the first change.

use support::journal::Events;
use tools::KnownTool;

use super::begun::Begun;
use super::place::Place;
use super::{anew, itself};
use crate::context::{Turn, Workflow};
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
    let turn = workflow.at(Step::Preflight, Events::none());
    look(&turn).await.map(|(prospect, _)| prospect).map_err(|source| WorkflowError::Removal {
        name: workflow.spec.name.clone(),
        step: Step::Preflight,
        inspection: Vec::new(),
        source: Box::new(source),
    })
}

pub(super) async fn perform(turn: &Turn<'_>) -> Result<String, StepError> {
    let mut found = Vec::new();
    for program in programs(turn.spec().bootstrap) {
        let tool = turn.tool(program).await?;
        found.push(format!("{program} {}", tool.version));
    }
    let (prospect, begun) = look(turn).await?;
    if let Some(begun) = begun {
        begun.write(turn)?;
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
async fn look(turn: &Turn<'_>) -> Result<(Prospect, Option<Begun>), StepError> {
    let (namespace, name) = (&turn.spec().namespace, &turn.spec().name);
    let mut prospect = Prospect {
        cluster: format!("Cluster {namespace}/{name}"),
        server: None,
        machines: Vec::new(),
    };
    let mut begun = None;
    if let Place::Management(cluster) = anew::look(turn).await?.place {
        let management = turn.target().await?;
        itself::check_all(turn, &management, &cluster).await?;
        let machines = itself::machines(&management, &cluster).await?;
        begun = Some(Begun::new(turn, management.server(), &cluster));
        prospect.server = Some(management.server().to_owned());
        prospect.machines = machines.iter().map(|machine| machine.name().to_owned()).collect();
    }
    Ok((prospect, begun))
}
