//! The place of the cluster: the first question of each step, since an earlier run may have moved
//! it.

use capi::{Object, is_paused};
use cluster::{Client, RetryPolicy};
use support::causes::in_one_line;

use crate::context::StepContext;
use crate::document::Bootstrap;
use crate::error::StepError;
use crate::order::Step;
use crate::steps::{self, the_cluster};
use crate::store::StepState;
use crate::support::{claim, clusters, mark};

/// The cluster that has the Cluster object, and therefore its machines.
pub(super) enum Place {
    /// The management cluster: nothing has moved yet.
    Management(Box<Object>),
    /// Only the bootstrap cluster, by a move that may not be over.
    Between,
    /// The bootstrap cluster.
    Bootstrap,
    /// None: its controllers have deleted it.
    Nowhere,
}

/// Looks for the cluster.
pub(super) async fn find(step_context: &StepContext<'_>) -> Result<Place, StepError> {
    // A half-deleted bootstrap cluster cannot be asked; it was empty when its deletion began.
    if steps::is_begun(step_context.folder()) {
        return Ok(Place::Nowhere);
    }
    let bootstrap = bootstrap(step_context).await?;
    let here = match &bootstrap {
        Some(cluster) => the_cluster(step_context, cluster).await?,
        None => None,
    };
    let mark = match &bootstrap {
        Some(cluster) => mark::read(cluster, step_context.owner()).await?,
        None => None,
    };
    if mark.as_ref().is_some_and(|mark| mark.applied) {
        // Once the mark says that it has moved, the management cluster need not answer: it is being
        // deleted.
        return Ok(if here.is_some() { Place::Bootstrap } else { Place::Nowhere });
    }
    if mark.is_none() && here.is_some() {
        return Err(taken(step_context));
    }
    if mark.is_none() && was_deleted(step_context)? {
        return Ok(Place::Nowhere);
    }
    match in_management(step_context).await {
        Ok(Some(cluster)) => Ok(Place::Management(Box::new(cluster))),
        Ok(None) if here.is_some() => Ok(Place::Between),
        Ok(None) => Err(absent(step_context)),
        // A copy is paused until its move is over, so this one has moved.
        Err(_) if here.is_some_and(|cluster| !is_paused(&cluster)) => Ok(Place::Bootstrap),
        Err(error) => Err(error),
    }
}

/// The bootstrap cluster of this deletion, if there is one that answers.
async fn bootstrap(step_context: &StepContext<'_>) -> Result<Option<Client>, StepError> {
    if step_context.spec().bootstrap == Bootstrap::Kind {
        let name = &step_context.spec().bootstrap_name;
        if !claim::is_staked(step_context.folder()) || !step_context.kind().await?.has(name).await?
        {
            return Ok(None);
        }
        // One that was never finished has nothing in it; the step `bootstrap` begins it anew.
        if *step_context.folder().state()?.of(Step::Move) == StepState::Waiting {
            let answer = connect(step_context).await;
            return Ok(answer.ok());
        }
    }
    connect(step_context).await.map(Some)
}

async fn connect(step_context: &StepContext<'_>) -> Result<Client, StepError> {
    let client = step_context.bootstrap().await?.with_retry(RetryPolicy::brief());
    clusters::ready(&client).await?;
    Ok(client)
}

/// A Cluster that was there before this deletion is somebody else's.
fn taken(step_context: &StepContext<'_>) -> StepError {
    let (namespace, name) = (&step_context.spec().namespace, &step_context.spec().name);
    StepError::refused(
        format!("the bootstrap cluster has a Cluster {namespace}/{name} of its own"),
        "use another bootstrap cluster: leave --bootstrap out, and kind makes one",
    )
}

/// Returns true if both the cluster and the kind cluster that has deleted it are gone.
pub(super) async fn is_over(step_context: &StepContext<'_>) -> Result<bool, StepError> {
    if step_context.spec().bootstrap != Bootstrap::Kind || !was_deleted(step_context)? {
        return Ok(false);
    }
    Ok(!step_context.kind().await?.has(&step_context.spec().bootstrap_name).await?)
}

/// Returns true if the journal says so; another Cluster may have come since.
pub(super) fn was_deleted(step_context: &StepContext<'_>) -> Result<bool, StepError> {
    Ok(step_context.folder().state()?.of(Step::DeleteCluster).is_done())
}

async fn in_management(step_context: &StepContext<'_>) -> Result<Option<Object>, StepError> {
    let management = step_context.target().await?.with_retry(RetryPolicy::brief());
    the_cluster(step_context, &management).await.map_err(|error| match error {
        StepError::Api(error) if error.is_unreachable() => StepError::refused(
            format!("the management cluster does not answer: {}", in_one_line(&error)),
            "name its kubeconfig with --kubeconfig FILE; a cluster that is lost cannot be moved, \
             remove its machines by hand",
        ),
        error => error,
    })
}

fn absent(step_context: &StepContext<'_>) -> StepError {
    let (namespace, name) = (&step_context.spec().namespace, &step_context.spec().name);
    StepError::refused(
        format!("there is no Cluster {namespace}/{name} in this management cluster"),
        "name its namespace with --namespace, and its management cluster with --kubeconfig FILE or \
         --context NAME",
    )
}
