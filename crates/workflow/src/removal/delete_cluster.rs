//! The cluster goes, through its controllers: they delete machines, load balancers and networks.

use capi::{Condition, Object, ResourceType};
use cluster::Client;
use support::visible::one_line;

use super::itself;
use super::place::{self, Place};
use crate::context::StepContext;
use crate::error::StepError;
use crate::steps::the_cluster;
use crate::support::mark;
use crate::support::wait::{Poll, until};

pub(crate) async fn perform(step_context: &StepContext<'_>) -> Result<String, StepError> {
    let Some(bootstrap) = bootstrap(step_context).await? else {
        return Ok("was gone before".to_owned());
    };
    let Some(cluster) = the_cluster(step_context, &bootstrap).await? else {
        return match mark::read(&bootstrap, step_context.owner()).await?.unwrap_or_default().applied
        {
            true => Ok("was gone before".to_owned()),
            false => Err(StepError::refused(
                "the bootstrap cluster does not have the cluster",
                "run the command again: it looks where the cluster is",
            )),
        };
    };
    itself::check_active(&cluster)?;
    let machines = itself::machines(&bootstrap, &cluster).await?.len();
    let kind = ResourceType::new(cluster.api_version(), "Cluster", "clusters", true);
    if !cluster.is_being_deleted() {
        bootstrap.delete(&kind, cluster.namespace(), cluster.name(), cluster.uid()).await?;
    }
    until(step_context, "the cluster and its machines are gone", async || {
        let Some(left) = the_cluster(step_context, &bootstrap).await? else {
            return Ok(Poll::Ready(()));
        };
        if left.uid() != cluster.uid() {
            return Err(StepError::refused(
                format!("somebody has created {} again", left.id()),
                "stop what creates it, for example a GitOps tool, then run the command again",
            ));
        }
        Ok(Poll::Pending(progress(&bootstrap, &left).await?))
    })
    .await?;
    Ok(format!("{} and {machines} Machines are gone", cluster.id()))
}

/// The bootstrap cluster; none if an earlier run has deleted it with everything in it.
async fn bootstrap(step_context: &StepContext<'_>) -> Result<Option<Client>, StepError> {
    match place::find(step_context).await? {
        Place::Nowhere => Ok(None),
        _ => Ok(Some(step_context.bootstrap().await?)),
    }
}

/// The rest of it, in the words of its controllers where they say something.
async fn progress(bootstrap: &Client, cluster: &Object) -> Result<String, StepError> {
    let machines = itself::machines(bootstrap, cluster).await?;
    let left = match machines.len() {
        0 => "no Machine is left".to_owned(),
        1 => format!("Machine {} is left", machines[0].name()),
        many => format!("{many} Machines are left"),
    };
    let says = cluster.condition("Deleting").map(Condition::message).unwrap_or_default();
    Ok(match says.as_str() {
        "" => format!("{} is being deleted: {left}", cluster.id()),
        says => format!("{} is being deleted: {left}; {}", cluster.id(), one_line(says)),
    })
}
