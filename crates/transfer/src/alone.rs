//! Ending an interrupted move in one of its clusters, when the other one is gone for good.
//!
//! The record of each cluster tells enough: the source is written to before the target when a run
//! goes forward, so what the source's record says has not been passed by the target's; and a target
//! that is handing over or further has the list of all copies.

use std::sync::Arc;
use std::time::Duration;

use capi::names::{FINALIZERS_ANNOTATION, RUN_ANNOTATION};
use capi::{Object, ObjectId, set_field};
use serde_json::json;
use support::journal::RunEvent;

use super::discover::{MoveScope, list_everywhere};
use super::error::{MoveError, PhaseError};
use super::exposure;
use super::hand_over::{setting_free, with_finalizers};
use super::inventory;
use super::kinds;
use super::lease_location::{lock_single_cluster, same_part};
use super::ledger;
use super::lock::{Holder, Lock};
use super::namespaces;
use super::pause;
use super::precondition::patch;
use super::record::{Operation, Phase, Record, Role, Step};
use super::recover::{as_recorded, find_one};
use super::report::{Outcome, Report};
use super::run::{Progress, Run};
use super::undo::{Stray, remove_marked, resume_source};

/// Limits the time in which the other cluster has to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A user's statement about the other cluster of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// It is gone; whether its address still accepts connections is to be looked at.
    Checked,
    /// It is gone, whatever has its address now.
    Sure,
}

/// Finishes a move in its target, without its source.
///
/// # Errors
/// When the copies are not complete, the source still accepts connections, or a request fails.
pub async fn resume_without_source(
    run: &Run,
    force: bool,
    gone: Gone,
    report: &mut Report,
) -> Result<(), MoveError> {
    let (record, holder) = record_here(run, (Role::Target, gone)).await?;
    refuse_early(&record)?;
    refuse_if_it_answers(&record, gone).await?;
    run.options.take_over.confirm(&record, run.server_of(record.role), holder)?;
    let run = as_recorded(run, &record);
    report.run.clone_from(&run.id);
    let move_scope = move_scope(&run).await.map_err(MoveError::Unprepared)?;
    let lock = lock_single_cluster(&run, &run.target, record.clone(), force).await?;
    let lock = same_part(lock, &record).await?;
    let record = lock.record().await;
    if let Err(error) = refuse_early(&record) {
        lock.leave().await;
        return Err(error);
    }
    run.begun(Operation::Move, &record.peer, run.target.server());
    run.events.started("resume", "Resume reconciliation");
    match finish(&run, &lock, &move_scope).await {
        Ok(moved) => report.moved = moved,
        Err(source) => {
            run.events.send(support::journal::Event::Failed);
            lock.leave().await;
            return Err(MoveError::Unfinished { doing: "resume reconciliation", source });
        }
    }
    run.events.finished("");
    lock.finish().await.map_err(|error| MoveError::Unfinished {
        doing: "remove its record",
        source: Box::new(error).into(),
    })?;
    report.source = record.peer;
    report.clusters = report.moved.iter().filter(|id| id.kind == "Cluster").count();
    report.outcome = Outcome::Moved;
    report.count_all_requests(&run);
    Ok(())
}

/// Rolls a move back in the cluster that is left. In the source that gives the Clusters their pause
/// state back; in the target it removes what carries the mark of the run.
///
/// # Errors
/// When the run is too far, the other cluster still accepts connections, or a request fails.
pub async fn rollback_without(
    run: &Run,
    missing: Role,
    force: bool,
    gone: Gone,
) -> Result<Record, MoveError> {
    let here = missing.other();
    let (record, holder) = record_here(run, (here, gone)).await?;
    refuse_late(&record)?;
    refuse_if_it_answers(&record, gone).await?;
    run.options.take_over.confirm(&record, run.server_of(record.role), holder)?;
    let run = as_recorded(run, &record);
    let move_scope = move_scope(&run).await.map_err(MoveError::Unprepared)?;
    let lock = lock_single_cluster(&run, &run.source, record.clone(), force).await?;
    let lock = same_part(lock, &record).await?;
    let record = lock.record().await;
    if let Err(error) = refuse_late(&record) {
        lock.leave().await;
        return Err(error);
    }
    run.begun("rollback", run.source.server(), run.target.server());
    run.events.started("undo", "Roll back");
    if let Err(source) = undo(&run, &lock, &move_scope, here).await {
        run.events.send(support::journal::Event::Failed);
        lock.leave().await;
        let (doing, undo) = ("roll back", source.to_string());
        return Err(MoveError::HalfUndone { doing, undo, source });
    }
    run.events.finished("");
    if let Err(error) = lock.finish().await {
        let (doing, undo) = ("remove its record", error.to_string());
        return Err(MoveError::HalfUndone { doing, undo, source: Box::new(error).into() });
    }
    let outcome = Outcome::Undone.to_string();
    run.events.record(RunEvent::Ended { outcome, error: None });
    Ok(record)
}

/// The record of the move whose end this cluster is.
async fn record_here(
    run: &Run,
    (role, gone): (Role, Gone),
) -> Result<(Record, Option<Holder>), MoveError> {
    exposure::warn(run);
    let lease = find_one(&run.target).await.map_err(MoveError::Unprepared)?;
    let lease = lease.ok_or_else(|| {
        MoveError::NoRun("no interrupted move was found in this cluster".to_owned())
    })?;
    let holder = lease.holder();
    let record = one_of(lease.records().cloned().collect(), (role, gone)).await?;
    if record.operation != Operation::Move {
        return Err(MoveError::OfFiles(Box::new(record)));
    }
    if record.role != role {
        return Err(MoveError::NoRun(format!(
            "this cluster is the {} of the move {}, not its {role}",
            record.role, record.run
        )));
    }
    Ok((record, holder))
}

/// Returns the record that is meant. Several replacements may rest in one target: the one whose
/// source does not answer.
async fn one_of(records: Vec<Record>, (role, gone): (Role, Gone)) -> Result<Record, MoveError> {
    let is_candidate = |record: &&Record| record.role == role;
    let candidates: Vec<&Record> = records.iter().filter(is_candidate).collect();
    if let [_, _, ..] = candidates[..] {
        for record in &candidates {
            if !accepts_connections(&record.peer).await {
                return Ok((*record).clone());
            }
        }
        if gone == Gone::Sure {
            return Err(MoveError::NoRun(format!(
                "this cluster is the {role} of several runs, and the addresses of all their {}s \
                 accept connections: {}; end the others first, each with both kubeconfigs",
                role.other(),
                candidates
                    .iter()
                    .map(|it| format!("{} ({})", it.run, it.peer))
                    .collect::<Vec<_>>()
                    .join(", ")
            )));
        }
    }
    let first = candidates.first().copied().or(records.first());
    let none = || MoveError::NoRun("no interrupted move was found in this cluster".to_owned());
    first.cloned().ok_or_else(none)
}

/// Refuses to finish a move whose copies may not be complete.
fn refuse_early(record: &Record) -> Result<(), MoveError> {
    let hint = match record.phase {
        Phase::Preparing => {
            "remove its copies with `kubectl pivot rollback --source-is-gone`, then restore the \
             backup with `kubectl pivot restore`"
        }
        Phase::Undoing => "finish the rollback with `kubectl pivot rollback --source-is-gone`",
        _ => return Ok(()),
    };
    Err(MoveError::NotAlone {
        record: Box::new(record.clone()),
        problem: format!("it was {}, so its copies may not be complete", record.phase),
        hint: hint.to_owned(),
    })
}

/// Refuses to roll a move back that may have deleted something, or whose copies are the last ones
/// there are.
fn refuse_late(record: &Record) -> Result<(), MoveError> {
    let is_last = record.role == Role::Target && !record.copies.is_empty();
    if record.can_be_rolled_back() && !is_last {
        return Ok(());
    }
    let (problem, hint) = match record.role {
        Role::Target if record.phase == Phase::Undoing => (
            "its copies were complete when the rollback began, and those that are left are the \
             last ones there are",
            "restore the backup of the move with `kubectl pivot restore` into a new cluster",
        ),
        Role::Target => (
            "its copies are complete, and the last ones there are",
            "finish the move with `kubectl pivot resume --source-is-gone`",
        ),
        Role::Source => (
            "objects may have been deleted from the source already",
            "restore the backup of the move with `kubectl pivot restore` into a new cluster, and \
             delete this one",
        ),
    };
    let record = Box::new(record.clone());
    Err(MoveError::NotAlone { record, problem: problem.to_owned(), hint: hint.to_owned() })
}

/// A cluster that is only away may come back, with controllers that work on what this command sets
/// free.
async fn refuse_if_it_answers(record: &Record, gone: Gone) -> Result<(), MoveError> {
    if gone == Gone::Sure || !accepts_connections(&record.peer).await {
        return Ok(());
    }
    let missing = record.role.other();
    Err(MoveError::NotAlone {
        record: Box::new(record.clone()),
        problem: format!(
            "{}, the address of the {missing}, accepts connections from this machine",
            record.peer
        ),
        hint: format!(
            "end the move in both clusters; if another cluster has this address now, use \
             --{missing}-is-gone=sure"
        ),
    })
}

async fn accepts_connections(server: &str) -> bool {
    let Ok(uri) = server.parse::<http::Uri>() else { return false };
    let Some(host) = uri.host() else { return false };
    let port = uri.port_u16().unwrap_or(443);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let connecting = tokio::net::TcpStream::connect((host, port));
    matches!(tokio::time::timeout(CONNECT_TIMEOUT, connecting).await, Ok(Ok(_)))
}

async fn move_scope(run: &Run) -> Result<MoveScope, PhaseError> {
    let (kinds, providers) =
        tokio::try_join!(kinds::read(&run.target), inventory::read(&run.target))?;
    let namespaces = run.options.namespaces.clone();
    let chosen = run.options.choice.fixed().cloned().map(Arc::new);
    let copies_referenced = run.options.copy_referenced;
    Ok(MoveScope { kinds, providers, namespaces, chosen, copies_referenced, taken: None })
}

/// Takes the steps that are left. The source deletes nothing more and holds nothing.
async fn finish(
    run: &Run,
    lock: &Lock,
    move_scope: &MoveScope,
) -> Result<Vec<ObjectId>, PhaseError> {
    let record = lock.record().await;
    // Between two batches the list may be removed already.
    if record.phase == Phase::Finished {
        return Ok(Vec::new());
    }
    let ledger = ledger::read(&run.target, &lock.namespace().await, &record.copies).await?;
    let ledger = ledger.ok_or(PhaseError::NoLedger)?;
    if record.phase == Phase::Left {
        return Ok(ledger.created(move_scope));
    }
    // Once the target works, it may delete copies itself.
    if record.phase != Phase::Resuming && !record.phase.is_left() {
        let missing = ledger.missing(&list_everywhere(&run.target, move_scope).await?);
        if let Some(first) = missing.first() {
            return Err(PhaseError::LastCopiesGone { first: first.clone(), count: missing.len() });
        }
    }
    let mut phase = record.phase;
    while !matches!(phase, Phase::Finished | Phase::Left) {
        let step = match phase {
            Phase::HandingOver | Phase::Committed => {
                run.recorded("handOver", hand_over(run, move_scope)).await?;
                Step::CopiesHandedOver
            }
            Phase::Returning => Step::ReturnRefused,
            Phase::Deleting => {
                run.recorded("delete", std::future::ready(Ok::<_, PhaseError>(()))).await?;
                Step::SourceDeleted
            }
            _ => {
                let resumed = pause::restore_all(run, &run.target, &move_scope.kinds);
                run.recorded("resume", resumed).await?;
                namespaces::unmark_or_warn(run).await;
                Step::Resumed
            }
        };
        phase = lock.advance(step).await.map_err(Box::new)?;
    }
    Ok(ledger.created(move_scope))
}

/// Hands over the copies that are left without their sources, whose field ownership is lost.
async fn hand_over(run: &Run, move_scope: &MoveScope) -> Result<(), PhaseError> {
    let is_ours = |object: &Object| object.annotation(RUN_ANNOTATION) == Some(&run.id);
    let listed = list_everywhere(&run.target, move_scope).await?;
    let ours: Vec<_> = listed.into_iter().filter(|(_, object)| is_ours(object)).collect();
    let progress = Progress::of(ours.len()).carried_through();
    run.each(ours, &progress, |(kind, copy)| async move {
        let change = |now: &Object| {
            let mut change = json!({"metadata": {"annotations": setting_free(now)}});
            let finalizers = now.annotation(FINALIZERS_ANNOTATION).into_iter();
            let finalizers = finalizers.flat_map(|names| names.split(',')).collect();
            if let Some(finalizers) = with_finalizers(now, finalizers) {
                set_field(&mut change, &["metadata", "finalizers"], finalizers);
            }
            is_ours(now).then_some(change)
        };
        patch(&run.target, &move_scope.kind(kind).resource, &copy, change).await?;
        Ok(())
    })
    .await?;
    Ok(())
}

async fn undo(
    run: &Run,
    lock: &Lock,
    move_scope: &MoveScope,
    here: Role,
) -> Result<(), PhaseError> {
    if lock.phase().await.is_left() {
        // The target is lost with all that it has changed since the copy.
        lock.advance(Step::ReturnStarted).await.map_err(Box::new)?;
    }
    lock.advance(Step::RollbackStarted).await.map_err(Box::new)?;
    let undone = async {
        if here == Role::Source {
            return resume_source(run, lock, move_scope, Stray::No).await;
        }
        // Of the process before a create may be on its way.
        lock.let_target_run_out();
        remove_marked(run, move_scope).await?;
        namespaces::leave(run).await;
        Ok(())
    };
    run.recorded("undo", undone).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Page;
    use crate::options::Namespaces;

    fn record(role: Role, phase: Phase) -> Record {
        Record { phase, ..Record::new("r", role, &Namespaces::All, "https://a") }
    }

    #[test]
    fn a_target_is_finished_once_its_copies_are_complete() {
        let page = Page { name: "p".to_owned(), uid: "u".to_owned() };
        for phase in Phase::ALL {
            let is_complete = !matches!(phase, Phase::Preparing | Phase::Undoing);
            let copies = if is_complete { vec![page.clone()] } else { Vec::new() };
            let record = Record { copies, ..record(Role::Target, phase) };
            assert_eq!(refuse_early(&record).is_ok(), is_complete, "{phase}");
            assert_eq!(refuse_late(&record).is_ok(), !is_complete, "{phase}");
        }
        let undoing = Record { copies: vec![page], ..record(Role::Target, Phase::Undoing) };
        assert!(refuse_late(&undoing).is_err(), "its copies may be the last ones");
    }

    #[test]
    fn a_source_is_rolled_back_as_long_as_nothing_was_deleted() {
        for phase in Phase::ALL {
            let may = refuse_late(&record(Role::Source, phase)).is_ok();
            assert_eq!(may, phase.can_roll_back(), "{phase}");
        }
    }

    #[tokio::test]
    async fn of_several_replacements_the_one_without_its_source_is_meant() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let there = format!("https://{}", listener.local_addr().expect("it is bound"));
        let nowhere = {
            let gone = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
            format!("https://{}", gone.local_addr().expect("it is bound"))
        };
        let of = |run: &str, peer: &str| Record {
            run: run.to_owned(),
            peer: peer.to_owned(),
            ..record(Role::Target, Phase::Left)
        };
        let both = |second: &str| vec![of("first", &there), of("second", second)];
        let wish = (Role::Target, Gone::Checked);
        assert_eq!(one_of(both(&nowhere), wish).await.expect("one is gone").run, "second");
        assert_eq!(one_of(both(&there), wish).await.expect("refused later").run, "first");
        let error = one_of(both(&there), (Role::Target, Gone::Sure)).await.expect_err("which one?");
        assert!(error.to_string().contains("second"), "{error}");
        let other = vec![record(Role::Source, Phase::Left)];
        assert_eq!(one_of(other, wish).await.expect("refused later").role, Role::Source);
    }

    #[tokio::test]
    async fn an_address_that_nobody_has_accepts_nothing() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let server = format!("https://{}/path", listener.local_addr().expect("it is bound"));
        assert!(accepts_connections(&server).await);
        drop(listener);
        assert!(!accepts_connections(&server).await);
        assert!(!accepts_connections("no address").await);
    }
}
