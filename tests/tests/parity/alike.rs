//! One case: the same population in both sources, two moves, four dumps, one comparison.

use kubectl_pivot_tests::deviation::{Seen, Verdict, payload, with_source_uids, with_target_uids};
use kubectl_pivot_tests::dump::{Difference, Dump, Normal, RawDump, Uids, diff};
use kubectl_pivot_tests::population::Population;
use kubectl_pivot_tests::program::Outcome;
use kubectl_pivot_tests::twins::{Pair, Twins};

use crate::Parity;

/// Exit code of a move that found nothing to move.
const NOTHING_IN_SCOPE: i32 = 4;

/// The compared objects.
pub(crate) struct Scope<'a> {
    /// Name of the case.
    pub(crate) case: &'a str,
    /// The namespace that is moved.
    pub(crate) namespace: &'a str,
    /// Other namespaces to look at.
    pub(crate) others: &'a [&'a str],
}

/// The dumps of a pair before and after its move, in normal form.
struct Scenario {
    before: Dump,
    left: Dump,
    arrived: Dump,
}

/// Creates the population in both sources, then compares as [`moves_alike`] does.
pub(crate) async fn populations_move_alike(
    parity: &Parity,
    scope: &Scope<'_>,
    population: &Population,
) -> Result<Outcome, String> {
    parity.twins.populate(population).await;
    moves_alike(parity, scope).await
}

/// Moves the namespace in both pairs and holds the results against each other; the outcome is ours.
pub(crate) async fn moves_alike(parity: &Parity, scope: &Scope<'_>) -> Result<Outcome, String> {
    let Parity { twins: Twins { theirs, ours }, fixture } = parity;
    let (their_start, our_start) = tokio::join!(dump(theirs, scope), dump(ours, scope));
    let (their_move, our_move) = tokio::join!(
        theirs.move_by_clusterctl(fixture, scope.namespace),
        ours.move_by_us(fixture, scope.namespace)
    );
    if !their_move.succeeded() {
        return Err(format!("clusterctl refuses {}: {their_move}", scope.case));
    }
    let their_end = dump(theirs, scope).await;
    let our_end = dump(ours, scope).await;
    let anything_moved = payload(&their_end.1).count() > payload(&their_start.1).count();
    let wanted = if anything_moved { 0 } else { NOTHING_IN_SCOPE };
    if our_move.code != Some(wanted) {
        return Err(format!("our move of {} should exit with {wanted}: {our_move}", scope.case));
    }
    let theirs = scenario(their_start, their_end);
    let ours = scenario(our_start, our_end);
    Verdict::of(scope.case, differences(&theirs, &ours)?)
        .check()
        .map_err(|text| format!("{text}\nour move: {our_move}"))?;
    Ok(our_move)
}

async fn dump(pair: &Pair, scope: &Scope<'_>) -> (RawDump, RawDump) {
    let namespaces: Vec<_> = scope.others.iter().copied().chain([scope.namespace]).collect();
    tokio::join!(pair.source.dump_at_rest(&namespaces), pair.target.dump_at_rest(&namespaces))
}

fn scenario(start: (RawDump, RawDump), end: (RawDump, RawDump)) -> Scenario {
    let source = Uids::of(&start.0);
    let mut target = Uids::of(&start.1);
    target.extend(&Uids::of(&end.1));
    let in_source = Normal { own: &source, foreign: None };
    let in_target = Normal { own: &target, foreign: Some(&source) };
    Scenario {
        before: in_source.form(&start.0),
        left: in_source.form(&end.0),
        arrived: in_target.form(&end.1),
    }
}

fn differences(theirs: &Scenario, ours: &Scenario) -> Result<Vec<(Seen, Difference)>, String> {
    // Random content, such as the fleet's certificates, makes twins differ from the start: what
    // differs afterwards in the same place by the same values has been moved faithfully.
    let from_the_start = diff(&theirs.before, &ours.before);
    if let Some(lost) = from_the_start.iter().find(|d| d.left.is_none() || d.right.is_none()) {
        return Err(format!("the sources are no twins: {lost:?}"));
    }
    let survivors = with_source_uids(&ours.arrived);
    if !survivors.is_empty() {
        return Err(format!("uids of the source in our target: {survivors:?}"));
    }
    let arrived = diff(&with_target_uids(&theirs.arrived)?, &ours.arrived);
    let left = diff(&theirs.left, &ours.left);
    let all = arrived
        .into_iter()
        .map(|d| (Seen::Target, d))
        .chain(left.into_iter().map(|d| (Seen::Source, d)));
    Ok(all.filter(|(_, difference)| !from_the_start.contains(difference)).collect())
}
