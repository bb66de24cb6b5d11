//! The ways into this crate that several others take, boxed.
//!
//! An asynchronous function is compiled again in each crate that waits for it, with all that it
//! waits for itself. A box is compiled here, and the program has a move once.

use cluster::{ApiError, Client};
use futures::future::{FutureExt as _, LocalBoxFuture};
use support::journal::Events;

use crate::acceptance::{Acceptance, Check, Waiting};
use crate::error::{MoveError, PhaseError};
use crate::inventory::Provider;
use crate::preflight::Preflight;
use crate::record::Record;
use crate::recover::Found;
use crate::report::Report;
use crate::run::Run;
use crate::{acceptance, inventory, mover, recover};

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
