//! Waiting until nothing asks the move to wait any more (`block-move`).

use std::time::{Duration, Instant};

use capi::names::BLOCK_MOVE_ANNOTATION;
use capi::{Graph, Object, ObjectId, ResourceType};

use crate::error::PhaseError;
use crate::run::Run;

/// Pause between two looks at an object.
const BLOCK_CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// Waits until no object that moves carries the annotation. Returns one that did.
///
/// # Errors
/// [`PhaseError::Blocked`] after `--block-move-timeout`, or when a request fails.
pub(crate) async fn wait_until_unblocked(
    run: &Run,
    graph: &Graph,
) -> Result<Option<ObjectId>, PhaseError> {
    let begun = Instant::now();
    let blocking: Vec<(&ResourceType, &Object)> = graph
        .copied()
        .map(|index| &graph[index])
        .filter(|node| node.object.annotation(BLOCK_MOVE_ANNOTATION).is_some())
        .map(|node| (graph.resource(node), &node.object))
        .collect();
    for (position, (resource, object)) in blocking.iter().enumerate() {
        let others = blocking.len() - position - 1;
        let also = if others == 0 { String::new() } else { format!(" and {others} more") };
        run.events.doing(format!(
            "waiting for {}{also}: annotation {BLOCK_MOVE_ANNOTATION}",
            object.id()
        ));
        wait_for(run, resource, object, begun).await?;
    }
    Ok(blocking.first().map(|(_, object)| object.id()))
}

async fn wait_for(
    run: &Run,
    resource: &ResourceType,
    object: &Object,
    begun: Instant,
) -> Result<(), PhaseError> {
    loop {
        run.stop.check()?;
        let now = run.source.get(resource, object.namespace(), object.name()).await?;
        if now.is_none_or(|now| now.annotation(BLOCK_MOVE_ANNOTATION).is_none()) {
            return Ok(());
        }
        if begun.elapsed() >= run.options.block_move_timeout {
            return Err(PhaseError::Blocked {
                object: object.id(),
                annotation: BLOCK_MOVE_ANNOTATION,
                seconds: begun.elapsed().as_secs(),
            });
        }
        tokio::time::sleep(BLOCK_CHECK_INTERVAL).await;
    }
}
