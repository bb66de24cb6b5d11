//! A Cluster that moves away from the bootstrap cluster, or has done so: the steps before the move
//! have nothing more to look at there. Its objects are deleted one by one, and what is left of them
//! no controller changes.

use cluster::Client;
use transfer::{Record, Role};

use crate::context::StepContext;
use crate::error::StepError;
use crate::steps::the_cluster;

/// Returns the words for it if the target has the Cluster, or is about to have it for good.
///
/// The source's record is enough: a run writes there first that it has committed, and one that is
/// rolled back has deleted nothing.
pub(crate) async fn moved_away(
    step_context: &StepContext<'_>,
    bootstrap: &Client,
) -> Result<Option<&'static str>, StepError> {
    if the_cluster(step_context, bootstrap).await?.is_none() {
        return Ok(Some("the cluster is not in the bootstrap cluster any more"));
    }
    let found = transfer::find(bootstrap, bootstrap).await.map_err(StepError::Phase)?;
    let record = found.source.and_then(|lease| lease.record);
    let own = (step_context.spec().namespace.as_str(), step_context.spec().name.as_str());
    let is_leaving = record.is_some_and(|record| takes_away(&record, own));
    Ok(is_leaving.then_some("the cluster moves away from the bootstrap cluster"))
}

/// Returns true if a run takes this Cluster away for good.
fn takes_away(record: &Record, (namespace, name): (&str, &str)) -> bool {
    let is_past_commit = record.phase.is_committed() || record.phase.is_left();
    let chosen = record.choice.as_ref();
    let is_chosen = chosen.is_none_or(|chosen| chosen.has(namespace, name));
    record.role == Role::Source && is_past_commit && is_chosen && record.namespaces().has(namespace)
}

#[cfg(test)]
mod tests {
    use capi::Chosen;
    use transfer::{Namespaces, Phase};

    use super::*;

    fn record(phase: Phase) -> Record {
        let namespaces = Namespaces::One("n".to_owned());
        Record { phase, ..Record::new("r", Role::Source, &namespaces, "https://a") }
    }

    #[test]
    fn a_cluster_is_taken_away_from_the_commit_on_and_never_by_a_rollback() {
        let away = Phase::ALL.into_iter().filter(|phase| takes_away(&record(*phase), ("n", "c")));
        assert_eq!(
            away.collect::<Vec<_>>(),
            [
                Phase::Committed,
                Phase::Deleting,
                Phase::Resuming,
                Phase::Leaving,
                Phase::Left,
                Phase::Returning
            ]
        );
    }

    #[test]
    fn only_a_run_about_the_cluster_takes_it_away() {
        let deleting = record(Phase::Deleting);
        assert!(!takes_away(&deleting, ("other", "c")));
        let of = |name: &str| Record {
            choice: Some(Chosen::from_iter([("n".to_owned(), name.to_owned())])),
            ..deleting.clone()
        };
        assert!(takes_away(&of("c"), ("n", "c")) && !takes_away(&of("d"), ("n", "c")));
        assert!(!takes_away(&Record { role: Role::Target, ..deleting }, ("n", "c")));
    }
}
