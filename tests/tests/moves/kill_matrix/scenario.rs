//! One move of a fresh population: recorded, or killed and then finished or put back.

use kubectl_pivot_tests::program::{Outcome, Program};
use kubectl_pivot_tests::proxied_pair::{Ends, LEASE_SECONDS, ProxiedPair, leases};
use kubectl_pivot_tests::proxy::{Rule, Side, Write};

use super::points::Kill;

/// Exit code of a resume or rollback that finds no run.
const NO_RUN: i32 = 4;

/// Exit code of a command that does nothing.
const REFUSED: i32 = 3;

/// An uninterrupted run.
pub(crate) struct Recorded {
    writes: Vec<Write>,
    ends: Ends,
}

impl Recorded {
    /// The number of writes.
    pub(crate) fn writes(&self) -> usize {
        self.numbered().count()
    }

    /// The writes that change the record of the run.
    pub(crate) fn changes(&self) -> Vec<usize> {
        self.numbered()
            .filter(|(_, write)| write.call.is_lease())
            .map(|(number, _)| number)
            .collect()
    }

    /// The write that makes the commit true: the target's, which the first deletion may follow.
    pub(crate) fn commit(&self) -> usize {
        let is_commit = |write: &Write| {
            write.call.side == Side::Target && write.call.phase().as_deref() == Some("deleting")
        };
        let commit = self.numbered().find(|(_, write)| is_commit(write));
        commit.expect("a move commits").0
    }

    fn numbered(&self) -> impl Iterator<Item = (usize, &Write)> {
        self.writes.iter().filter_map(|write| Some((write.number?, write)))
    }

    /// # Panics
    /// When another run has ended differently.
    pub(crate) fn check_same(&self, other: &Self) {
        self.ends.check_same(&other.ends).unwrap_or_else(|text| panic!("{text}"));
    }
}

/// Moves a fresh population without any fault.
pub(crate) async fn record(proxied_pair: &ProxiedPair, in_flight: usize) -> Recorded {
    let tag = proxied_pair.tag();
    proxied_pair.populate(&tag).await;
    let moved = program(proxied_pair).run(move_args(proxied_pair, &tag, in_flight)).await;
    let moved = moved.expect_success("the uninterrupted move");
    let recorded =
        Recorded { writes: proxied_pair.traffic().writes(), ends: proxied_pair.ends(&tag).await };
    let left = proxied_pair.leftovers(&tag).await;
    assert!(left.is_empty(), "{left:#?}\n{moved}");
    check_order(&recorded.writes).unwrap_or_else(|text| panic!("{text}"));
    proxied_pair.clean_up(&tag).await;
    kubectl_pivot_tests::proxied_pair::tell(&format!(
        "recorded: {} writes, committed by {}, {} objects, {} states of Clusters",
        recorded.writes(),
        recorded.commit(),
        recorded.ends.target.names().count(),
        proxied_pair.traffic().timeline().events(),
    ));
    recorded
}

/// Kills a move and the runs that resume it at these points, and resumes it to its end.
pub(crate) async fn resumed(
    proxied_pair: &ProxiedPair,
    recorded: &Recorded,
    in_flight: usize,
    kills: &[Kill],
) -> Result<(), String> {
    let tag = proxied_pair.tag();
    proxied_pair.populate(&tag).await;
    let result = resume_to_the_end(proxied_pair, recorded, (&tag, in_flight), kills).await;
    proxied_pair.clean_up(&tag).await;
    result
}

async fn resume_to_the_end(
    proxied_pair: &ProxiedPair,
    recorded: &Recorded,
    (tag, in_flight): (&str, usize),
    kills: &[Kill],
) -> Result<(), String> {
    let mut args = move_args(proxied_pair, tag, in_flight);
    let mut writes = Vec::new();
    for kill in kills {
        let ended = run_until(proxied_pair, &args, *kill).await;
        writes.extend(proxied_pair.traffic().writes());
        if let Some(outcome) = ended {
            return check_end(proxied_pair, recorded, tag, (&outcome, &writes)).await;
        }
        args = resume_args(proxied_pair);
    }
    let outcome = finish(proxied_pair, recorded, (tag, in_flight)).await?;
    writes.extend(proxied_pair.traffic().writes());
    check_end(proxied_pair, recorded, tag, (&outcome, &writes)).await
}

/// Resumes; where the run has left no trace, moves again, unless everything is done.
async fn finish(
    proxied_pair: &ProxiedPair,
    recorded: &Recorded,
    (tag, in_flight): (&str, usize),
) -> Result<Outcome, String> {
    let traces = traces(proxied_pair).await;
    proxied_pair.traffic().begin_run();
    let outcome = program(proxied_pair).run(resume_args(proxied_pair)).await;
    if traces > 0 || outcome.code != Some(NO_RUN) {
        return Ok(outcome);
    }
    if proxied_pair.ends(tag).await == recorded.ends {
        return Ok(Outcome { code: Some(0), ..outcome });
    }
    Ok(program(proxied_pair).run(move_args(proxied_pair, tag, in_flight)).await)
}

/// Kills a move at a point before its commit, and rolls it back.
pub(crate) async fn rolled_back(proxied_pair: &ProxiedPair, kill: Kill) -> Result<(), String> {
    let tag = proxied_pair.tag();
    proxied_pair.populate(&tag).await;
    let before = proxied_pair.ends(&tag).await;
    let result = roll_back(proxied_pair, &tag, kill, &before).await;
    proxied_pair.clean_up(&tag).await;
    result
}

async fn roll_back(
    proxied_pair: &ProxiedPair,
    tag: &str,
    kill: Kill,
    before: &Ends,
) -> Result<(), String> {
    if let Some(outcome) = run_until(proxied_pair, &move_args(proxied_pair, tag, 1), kill).await {
        return Err(format!("the move has ended before it was killed: {outcome}"));
    }
    let wanted = if traces(proxied_pair).await > 0 { 0 } else { NO_RUN };
    proxied_pair.traffic().begin_run();
    let outcome = program(proxied_pair).run(rollback_args(proxied_pair)).await;
    if outcome.code != Some(wanted) {
        return Err(format!("rollback should exit with {wanted}: {outcome}"));
    }
    before.check_put_back(&proxied_pair.ends(tag).await)?;
    nothing_left(proxied_pair, tag).await
}

/// Kills a move, then its rollback, and rolls it back to the end. Nobody may resume it in between.
pub(crate) async fn rolled_back_after_rollback(
    proxied_pair: &ProxiedPair,
    [first, second]: [Kill; 2],
) -> Result<(), String> {
    let tag = proxied_pair.tag();
    proxied_pair.populate(&tag).await;
    let before = proxied_pair.ends(&tag).await;
    let result = async {
        if let Some(outcome) =
            run_until(proxied_pair, &move_args(proxied_pair, &tag, 1), first).await
        {
            return Err(format!("the move has ended before it was killed: {outcome}"));
        }
        run_until(proxied_pair, &rollback_args(proxied_pair), second).await;
        let is_undoing = is_undoing(proxied_pair).await;
        proxied_pair.traffic().begin_run();
        if is_undoing {
            let resumed = program(proxied_pair).run(resume_args(proxied_pair)).await;
            if resumed.code != Some(REFUSED) || !proxied_pair.traffic().writes().is_empty() {
                return Err(format!("resume should refuse a rollback: {resumed}"));
            }
        }
        let wanted = if traces(proxied_pair).await > 0 { 0 } else { NO_RUN };
        let outcome = program(proxied_pair).run(rollback_args(proxied_pair)).await;
        if outcome.code != Some(wanted) {
            return Err(format!("rollback should exit with {wanted}: {outcome}"));
        }
        before.check_put_back(&proxied_pair.ends(&tag).await)?;
        nothing_left(proxied_pair, &tag).await
    };
    let result = result.await;
    proxied_pair.clean_up(&tag).await;
    result
}

/// Returns whether the record of the target, which decides, says `undoing`.
async fn is_undoing(proxied_pair: &ProxiedPair) -> bool {
    let leases = leases(proxied_pair.pair().target.client()).await;
    let mut records = leases.iter().filter_map(|lease| lease.annotation("kubectl-pivot.io/record"));
    records.any(|record| record.contains("\"phase\":\"undoing\""))
}

/// Runs until a point and kills; the outcome of a run that ends before it.
async fn run_until(proxied_pair: &ProxiedPair, args: &[String], kill: Kill) -> Option<Outcome> {
    proxied_pair.traffic().begin_run();
    proxied_pair.traffic().rule(Rule::at_write(kill.write, kill.fault()));
    let mut running = program(proxied_pair).start(args);
    tokio::select! {
        outcome = running.end() => return Some(outcome),
        () = proxied_pair.traffic().held() => {}
    }
    running.kill();
    running.end().await;
    proxied_pair.traffic().cut().await;
    None
}

async fn check_end(
    proxied_pair: &ProxiedPair,
    recorded: &Recorded,
    tag: &str,
    (outcome, writes): (&Outcome, &[Write]),
) -> Result<(), String> {
    if !outcome.succeeded() {
        return Err(format!("the run that finishes it fails: {outcome}"));
    }
    recorded
        .ends
        .check_same(&proxied_pair.ends(tag).await)
        .map_err(|text| format!("{text}\n{outcome}"))?;
    check_order(writes)?;
    nothing_left(proxied_pair, tag).await
}

async fn nothing_left(proxied_pair: &ProxiedPair, tag: &str) -> Result<(), String> {
    let left = proxied_pair.leftovers(tag).await;
    if left.is_empty() { Ok(()) } else { Err(format!("left over: {left:#?}")) }
}

/// Once something was deleted from the source, the target is the truth: nothing is created there,
/// replaced or deleted any more, but for the lists of copies.
fn check_order(writes: &[Write]) -> Result<(), String> {
    let objects = || writes.iter().filter(|write| !write.call.is_lease());
    let is_delete =
        |write: &Write| write.call.side == Side::Source && write.call.method == "DELETE";
    let late = objects()
        .skip_while(|write| !is_delete(write))
        .filter(|write| write.call.side == Side::Target && !is_list_of_copies(&write.call.path))
        .find(|write| write.call.method != "PATCH");
    late.map_or(Ok(()), |write| {
        Err(format!("after the first deletion: {} {}", write.call.method, write.call.path))
    })
}

fn is_list_of_copies(path: &str) -> bool {
    path.contains("/configmaps/kubectl-pivot-copies-")
}

/// Counts clusters with a record of a run.
async fn traces(proxied_pair: &ProxiedPair) -> usize {
    let pair = proxied_pair.pair();
    let (source, target) = tokio::join!(leases(pair.source.client()), leases(pair.target.client()));
    source.len() + target.len()
}

/// The program, with Leases so short that taking one by force costs little.
fn program(proxied_pair: &ProxiedPair) -> Program {
    proxied_pair.program().env(LEASE_SECONDS, "3")
}

fn move_args(proxied_pair: &ProxiedPair, tag: &str, in_flight: usize) -> Vec<String> {
    let mut args = proxied_pair.args("move");
    args.extend(["-n", tag, "--yes", "--max-in-flight", &in_flight.to_string()].map(str::to_owned));
    args
}

fn resume_args(proxied_pair: &ProxiedPair) -> Vec<String> {
    let mut args = proxied_pair.args("resume");
    args.push("--force-unlock".to_owned());
    args
}

fn rollback_args(proxied_pair: &ProxiedPair) -> Vec<String> {
    let mut args = proxied_pair.args("rollback");
    args.push("--force-unlock".to_owned());
    args
}
