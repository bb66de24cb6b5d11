//! The ways into this crate, boxed.
//!
//! An asynchronous function is compiled again in each crate that waits for it, with all that it
//! waits for itself. A box is compiled here, and the program has a move once.

use cluster::{ApiError, Client};
use futures::future::{FutureExt as _, LocalBoxFuture};
use support::journal::Events;

use crate::acceptance::{Acceptance, Check, Waiting};
use crate::alone::Gone;
use crate::directory::{Destination, LoadPlan};
use crate::error::{MoveError, PhaseError};
use crate::inventory::Provider;
use crate::marks::Marks;
use crate::preflight::Preflight;
use crate::record::{Record, Role};
use crate::recover::Found;
use crate::report::Report;
use crate::run::Run;
use crate::units::MovePlan;
use crate::{
    acceptance, alone, directory, hold_left as left, inventory, marks as marked, mover, readiness,
    recover, replacement, units, unrecorded,
};

/// Finds out what a move would do. Writes nothing.
///
/// Fails with [`MoveError::Unprepared`] when a cluster cannot be read.
#[inline(never)]
pub fn plan(run: &Run) -> LocalBoxFuture<'_, Result<(Preflight, Report), MoveError>> {
    mover::plan(run).boxed_local()
}

/// Carries out a plan, under a lock on both clusters.
///
/// Fails with [`MoveError::Refused`] when the plan has findings that stop it,
/// [`MoveError::Locked`] when another run has a cluster, [`MoveError::NotReady`] when probes do not
/// hold. Before the commit, which the first deletion follows, a failure is undone; after it the
/// move only goes forward.
#[inline(never)]
pub fn execute<'a>(
    run: &'a Run,
    preflight: Preflight,
    report: &'a mut Report,
) -> LocalBoxFuture<'a, Result<(), MoveError>> {
    mover::execute(run, preflight, report).boxed_local()
}

/// Looks for the records of runs in both clusters. Fails when a cluster cannot be read.
#[inline(never)]
pub fn find<'a>(
    source: &'a Client,
    target: &'a Client,
) -> LocalBoxFuture<'a, Result<Found, PhaseError>> {
    recover::find(source, target).boxed_local()
}

/// Continues an interrupted run to its end.
///
/// Fails when there is none, its holder is still alive, or it fails again.
#[inline(never)]
pub fn resume<'a>(
    run: &'a Run,
    force: bool,
    report: &'a mut Report,
) -> LocalBoxFuture<'a, Result<(), MoveError>> {
    recover::resume(run, force, report).boxed_local()
}

/// Rolls an interrupted run back, if that is still possible.
///
/// Fails when there is none, its holder is still alive, it is past its commit, or a request fails.
#[inline(never)]
pub fn rollback(run: &Run, force: bool) -> LocalBoxFuture<'_, Result<Record, MoveError>> {
    recover::rollback(run, force).boxed_local()
}

/// Verifies a move: looks again, as `waiting` says, as long as controllers may still write.
///
/// Fails when a cluster cannot be read, or the user stops; a check that fails is no error.
#[inline(never)]
pub fn accept<'a>(
    source: &'a Client,
    target: &'a Client,
    acceptance: &'a Acceptance,
    waiting: (&'a Waiting<'a>, &'a Events),
) -> LocalBoxFuture<'a, Result<Vec<Check>, PhaseError>> {
    acceptance::accept(source, target, acceptance, waiting).boxed_local()
}

/// Lists the providers that are installed in a cluster. Fails when it cannot be read.
#[inline(never)]
pub fn installed_providers(
    cluster: &Client,
) -> LocalBoxFuture<'_, Result<Vec<Provider>, ApiError>> {
    inventory::read(cluster).boxed_local()
}

/// Finishes a run in its target, when the source is gone for good.
///
/// Fails when there is none, its copies are not complete, or it fails again.
#[inline(never)]
pub fn resume_without_source<'a>(
    run: &'a Run,
    force: bool,
    gone: Gone,
    report: &'a mut Report,
) -> LocalBoxFuture<'a, Result<(), MoveError>> {
    alone::resume_without_source(run, force, gone, report).boxed_local()
}

/// Puts a run back in the cluster that is left.
///
/// Fails when there is none, it is too far, or a request fails.
#[inline(never)]
pub fn rollback_without(
    run: &Run,
    missing: Role,
    force: bool,
    gone: Gone,
) -> LocalBoxFuture<'_, Result<Record, MoveError>> {
    alone::rollback_without(run, missing, force, gone).boxed_local()
}

/// Puts a run back whose records are gone, by the marks on its objects.
///
/// Fails when there is a record, or no mark, or a request fails.
#[inline(never)]
pub fn rollback_from_marks(
    run: &Run,
    force: bool,
) -> LocalBoxFuture<'_, Result<Record, MoveError>> {
    unrecorded::rollback_from_marks(run, force).boxed_local()
}

/// Takes the leader Leases of a source that a run has left. Returns true if its controllers are
/// held now, and false if nothing was left, or the run was to hold none.
///
/// Fails when the controllers do not stop in time, a request fails, or another process is at the
/// run.
#[inline(never)]
pub fn hold_left(run: &Run) -> LocalBoxFuture<'_, Result<bool, MoveError>> {
    left::hold_left(run).boxed_local()
}

/// Returns the record of the replacement that this run would be, if it was begun. Fails when a
/// cluster cannot be read.
#[inline(never)]
pub fn own_replacement(run: &Run) -> LocalBoxFuture<'_, Result<Option<Record>, PhaseError>> {
    replacement::own_replacement(run).boxed_local()
}

/// Reads the source and finds the units. Fails when it cannot be read.
#[inline(never)]
pub fn plan_units(run: &Run) -> LocalBoxFuture<'_, Result<MovePlan, MoveError>> {
    units::plan_units(run).boxed_local()
}

/// Finds the marks of runs in a cluster. Fails when it cannot be read.
#[inline(never)]
pub fn marks(cluster: &Client) -> LocalBoxFuture<'_, Result<Marks, PhaseError>> {
    marked::marks(cluster).boxed_local()
}

/// Evaluates the probes of before the move once, without waiting, for a dry-run. Those that do not
/// hold become warnings.
///
/// Fails when a cluster cannot be read, or the user leaves out a probe that does not exist.
#[inline(never)]
pub fn look_once<'a>(
    run: &'a Run,
    providers: &'a [Provider],
    report: &'a mut Report,
) -> LocalBoxFuture<'a, Result<(), MoveError>> {
    readiness::look_once(run, providers, report).boxed_local()
}

/// Finds out what a backup would write. Fails when the source cannot be read.
#[inline(never)]
pub fn plan_save<'a>(
    run: &'a Run,
    to: &'a Destination,
) -> LocalBoxFuture<'a, Result<(Preflight, Report), MoveError>> {
    directory::plan_save(run, to).boxed_local()
}

/// Writes objects to files. Fails when a file cannot be written, or a request fails; what was
/// paused is resumed.
#[inline(never)]
pub fn save<'a>(
    run: &'a Run,
    preflight: Preflight,
    report: &'a mut Report,
    to: &'a Destination,
) -> LocalBoxFuture<'a, Result<(), MoveError>> {
    directory::save(run, preflight, report, to).boxed_local()
}

/// Finds out what a restore would create. Fails when the files or the target cannot be read.
#[inline(never)]
pub fn plan_load<'a>(
    run: &'a Run,
    from: &'a Destination,
) -> LocalBoxFuture<'a, Result<(LoadPlan, Report), MoveError>> {
    directory::plan_load(run, from).boxed_local()
}

/// Creates the objects of files. Fails when a request fails, or an object is in the way.
#[inline(never)]
pub fn load(plan: LoadPlan, report: &mut Report) -> LocalBoxFuture<'_, Result<(), MoveError>> {
    directory::load(plan, report).boxed_local()
}
