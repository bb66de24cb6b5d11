//! The replacement that a command continues: the same clusters, namespaces and Clusters as before.

use std::collections::BTreeSet;

use capi::Chosen;
use cluster::Client;

use super::choice::{self, Choice};
use super::discover::MoveScope;
use super::error::PhaseError;
use super::findings::Findings;
use super::kinds;
use super::record::{Phase, Record, Role};
use super::recover::find;
use super::run::Run;

/// Returns the record of the replacement that was begun by the same command before. Any other one
/// is for preflight to report.
///
/// # Errors
/// When a cluster cannot be read.
pub async fn own_replacement(run: &Run) -> Result<Option<Record>, PhaseError> {
    let found = find(&run.source, &run.target).await?;
    let Some(record) = found.source.and_then(|lease| lease.record) else { return Ok(None) };
    let is_in_target = found.target.is_none_or(|lease| {
        let is_new = record.phase == Phase::Preparing
            && lease.record.as_ref().is_none_or(|other| !other.is_in_the_way());
        is_new || lease.record_of(&record.run).is_some()
    });
    let is_own = record.leaves
        && record.role == Role::Source
        && record.namespaces() == run.options.namespaces
        && is_in_target
        && is_of_same_clusters(run, &record).await?;
    Ok(is_own.then_some(record))
}

/// Returns whether a record is about the Clusters that are wanted: all of its own are, and no other
/// of the source is. Those that were deleted from there are looked for in the target.
async fn is_of_same_clusters(run: &Run, record: &Record) -> Result<bool, PhaseError> {
    let recorded = match (&run.options.choice, &record.choice) {
        (Choice::All, recorded) => return Ok(recorded.is_none()),
        (_, None) => return Ok(false),
        (_, Some(recorded)) => recorded.keys().collect::<BTreeSet<_>>(),
    };
    let in_source = wanted(run, (&run.source, "source")).await?;
    let in_target = wanted(run, (&run.target, "target")).await?;
    Ok(is_same(&recorded, &in_source, &in_target))
}

/// Namespace and name of Clusters.
type Names = BTreeSet<(String, String)>;

fn is_same(recorded: &Names, in_source: &Names, in_target: &Names) -> bool {
    in_source.is_subset(recorded)
        && recorded.iter().all(|name| in_source.contains(name) || in_target.contains(name))
}

/// Returns the Clusters of a cluster that the user names. A name that it does not have is no error
/// here.
async fn wanted(run: &Run, cluster: (&Client, &'static str)) -> Result<Names, PhaseError> {
    let (kinds, providers) = (kinds::read(cluster.0).await?, Vec::new());
    let namespaces = run.options.namespaces.clone();
    let copies_referenced = false;
    let move_scope =
        MoveScope { kinds, providers, namespaces, chosen: None, copies_referenced, taken: None };
    let choice = (&run.options.choice, &mut Findings::default());
    let chosen: Option<Chosen> = choice::decide(cluster, &move_scope, choice).await?;
    Ok(chosen.iter().flat_map(Chosen::keys).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_clusters_are_wanted_also_while_they_are_deleted() {
        let names = |names: &[&str]| -> Names {
            names.iter().map(|name| ("n".to_owned(), (*name).to_owned())).collect()
        };
        for (recorded, in_source, in_target, same) in [
            (&["a", "b"][..], &["a", "b"][..], &[][..], true),
            (&["a", "b"], &["b"], &["a", "b", "c"], true),
            (&["a", "b"], &["a", "b", "c"], &["a"], false),
            (&["a", "b"], &["a"], &["a"], false),
        ] {
            let found = is_same(&names(recorded), &names(in_source), &names(in_target));
            assert_eq!(found, same, "{recorded:?} {in_source:?} {in_target:?}");
        }
    }
}
