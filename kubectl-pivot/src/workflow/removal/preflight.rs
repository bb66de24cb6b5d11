//! Everything that can be known before the first change.

use super::super::context::{Turn, Workflow};
use super::super::document::Bootstrap;
use super::super::error::{StepError, WorkflowError};
use super::super::order::Step;
use super::super::support::claim;
use super::itself;
use super::place::{self, Place};
use crate::journal::Events;
use crate::tools::KnownTool;

/// File of the folder of a deletion: the name of its bootstrap cluster.
const BOOTSTRAP: &str = "bootstrap.name";

/// What a deletion would remove, for the question.
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
    look(&turn).await.map_err(|source| WorkflowError::Removal {
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
    let prospect = look(turn).await?;
    turn.folder().write(BOOTSTRAP, &turn.spec().bootstrap_name)?;
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

async fn look(turn: &Turn<'_>) -> Result<Prospect, StepError> {
    refuse_other_bootstrap(turn)?;
    let (namespace, name) = (&turn.spec().namespace, &turn.spec().name);
    let mut prospect = Prospect {
        cluster: format!("Cluster {namespace}/{name}"),
        server: None,
        machines: Vec::new(),
    };
    if let Place::Management(cluster) = place::find(turn).await? {
        let management = turn.target().await?;
        itself::check(turn, &management, &cluster).await?;
        let found = crate::transfer::find(&management, &management).await;
        if found.map_err(StepError::Phase)?.record().is_none() {
            itself::check_active(&cluster)?;
        }
        let machines = itself::machines(&management, &cluster).await?;
        prospect.server = Some(management.server().to_owned());
        prospect.machines = machines.iter().map(|machine| machine.name().to_owned()).collect();
    }
    Ok(prospect)
}

/// A deletion that was begun with another bootstrap cluster has its cluster there.
fn refuse_other_bootstrap(turn: &Turn<'_>) -> Result<(), StepError> {
    if !claim::is_staked(turn.folder()) {
        return Ok(());
    }
    let begun = std::fs::read_to_string(turn.folder().file(BOOTSTRAP)).unwrap_or_default();
    if begun == turn.spec().bootstrap_name && turn.spec().bootstrap == Bootstrap::Kind {
        return Ok(());
    }
    Err(StepError::refused(
        format!("this deletion was begun with the bootstrap cluster `{begun}`"),
        format!("carry it on with --bootstrap kind --bootstrap-name {begun}"),
    ))
}
