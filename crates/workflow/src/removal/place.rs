//! The place of the cluster: the first question of each step, since an earlier run may have moved
//! it.

use capi::{Object, is_paused};
use cluster::{Client, RetryPolicy};
use support::causes::in_one_line;

use crate::context::Turn;
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
pub(super) async fn find(turn: &Turn<'_>) -> Result<Place, StepError> {
    // A half-deleted bootstrap cluster cannot be asked; it was empty when its deletion began.
    if steps::is_begun(turn.folder()) {
        return Ok(Place::Nowhere);
    }
    let bootstrap = bootstrap(turn).await?;
    let here = match &bootstrap {
        Some(cluster) => the_cluster(turn, cluster).await?,
        None => None,
    };
    let mark = match &bootstrap {
        Some(cluster) => mark::read(cluster, turn.owner()).await?,
        None => None,
    };
    if mark.as_ref().is_some_and(|mark| mark.applied) {
        // Once the mark says that it has moved, the management cluster need not answer: it is being
        // deleted.
        return Ok(if here.is_some() { Place::Bootstrap } else { Place::Nowhere });
    }
    if mark.is_none() && here.is_some() {
        return Err(taken(turn));
    }
    if mark.is_none() && was_deleted(turn)? {
        return Ok(Place::Nowhere);
    }
    match in_management(turn).await {
        Ok(Some(cluster)) => Ok(Place::Management(Box::new(cluster))),
        Ok(None) if here.is_some() => Ok(Place::Between),
        Ok(None) => Err(absent(turn)),
        // A copy is paused until its move is over, so this one has moved.
        Err(_) if here.is_some_and(|cluster| !is_paused(&cluster)) => Ok(Place::Bootstrap),
        Err(error) => Err(error),
    }
}

/// The bootstrap cluster of this deletion, if there is one that answers.
async fn bootstrap(turn: &Turn<'_>) -> Result<Option<Client>, StepError> {
    if turn.spec().bootstrap == Bootstrap::Kind {
        let name = &turn.spec().bootstrap_name;
        if !claim::is_staked(turn.folder()) || !turn.kind().await?.has(name).await? {
            return Ok(None);
        }
        // One that was never finished has nothing in it; the step `bootstrap` begins it anew.
        if *turn.folder().state()?.of(Step::Move) == StepState::Waiting {
            let answer = connect(turn).await;
            return Ok(answer.ok());
        }
    }
    connect(turn).await.map(Some)
}

async fn connect(turn: &Turn<'_>) -> Result<Client, StepError> {
    let client = turn.bootstrap().await?.with_retry(RetryPolicy::brief());
    clusters::ready(&client).await?;
    Ok(client)
}

/// A Cluster that was there before this deletion is somebody else's.
fn taken(turn: &Turn<'_>) -> StepError {
    let (namespace, name) = (&turn.spec().namespace, &turn.spec().name);
    StepError::refused(
        format!("the bootstrap cluster has a Cluster {namespace}/{name} of its own"),
        "use another bootstrap cluster: leave --bootstrap out, and kind makes one",
    )
}

/// Returns true if both the cluster and the kind cluster that has deleted it are gone.
pub(super) async fn is_over(turn: &Turn<'_>) -> Result<bool, StepError> {
    if turn.spec().bootstrap != Bootstrap::Kind || !was_deleted(turn)? {
        return Ok(false);
    }
    Ok(!turn.kind().await?.has(&turn.spec().bootstrap_name).await?)
}

/// Returns true if the journal says so; another Cluster may have come since.
pub(super) fn was_deleted(turn: &Turn<'_>) -> Result<bool, StepError> {
    Ok(turn.folder().state()?.of(Step::DeleteCluster).is_done())
}

async fn in_management(turn: &Turn<'_>) -> Result<Option<Object>, StepError> {
    let management = turn.target().await?.with_retry(RetryPolicy::brief());
    the_cluster(turn, &management).await.map_err(|error| match error {
        StepError::Api(error) if error.is_unreachable() => StepError::refused(
            format!("the management cluster does not answer: {}", in_one_line(&error)),
            "name its kubeconfig with --kubeconfig FILE; a cluster that is lost cannot be moved, \
             remove its machines by hand",
        ),
        error => error,
    })
}

fn absent(turn: &Turn<'_>) -> StepError {
    let (namespace, name) = (&turn.spec().namespace, &turn.spec().name);
    StepError::refused(
        format!("there is no Cluster {namespace}/{name} in this management cluster"),
        "name its namespace with --namespace, and its management cluster with --kubeconfig FILE or \
         --context NAME",
    )
}
