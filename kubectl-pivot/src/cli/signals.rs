//! Ctrl-C and its relatives: the first one stops at the next safe point, the second at once.
//!
//! A terminal sends SIGINT; CI systems, Jobs and systemd send SIGTERM before they kill; a terminal
//! that goes away sends SIGHUP.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use transfer::Stop;

use super::{Context, prompt};
use crate::commands::exit;
use crate::render::{Progress, print_error};

/// The way on for a user who did not wait for a safe point.
const NEXT: &str =
    "`kubectl pivot status` shows the state and the next command, with the kubeconfigs of this run";

/// Listens from now on, for as long as the program runs; to anything but Ctrl-C only if the command
/// `has_safe_points`.
pub(super) fn watch(context: &Context, has_safe_points: bool) {
    let (received, signals) = mpsc::channel(1);
    let mut kinds = vec![SignalKind::interrupt()];
    if has_safe_points {
        kinds.push(SignalKind::terminate());
        kinds.extend((!is_hangup_ignored()).then(SignalKind::hangup));
    }
    for kind in kinds {
        // Failing that, the signal ends the program, as it does without this.
        if let Ok(signal) = signal(kind) {
            tokio::spawn(pass_on(signal, received.clone()));
        }
    }
    tokio::spawn(stop_on(signals, context.stop.clone(), context.progress.clone()));
}

async fn pass_on(mut signal: Signal, received: mpsc::Sender<()>) {
    while signal.recv().await.is_some() && received.send(()).await.is_ok() {}
}

async fn stop_on(mut signals: mpsc::Receiver<()>, stop: Stop, progress: Progress) {
    while signals.recv().await.is_some() {
        if prompt::is_open() {
            // The cursor stands behind the question.
            print_error("\nnothing was changed");
            std::process::exit(exit::INTERRUPTED.into());
        }
        if stop.is_requested() {
            progress.clear();
            if progress.has_run() {
                progress.hint(NEXT);
            }
            std::process::exit(exit::INTERRUPTED.into());
        }
        stop.request();
        progress.events().warning(match progress.is_past_commit() {
            true => {
                "too late to roll back: finishing the move; press Ctrl-C again to leave the rest \
                 to `kubectl pivot resume`"
            }
            false => "stopping at the next safe point; press Ctrl-C again to stop at once",
        });
    }
}

/// Returns true if the program was started to outlive its terminal, as `nohup` does.
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let hangup = 1 << (SignalKind::hangup().as_raw_value() - 1);
    ignored.is_some_and(|mask| mask & hangup != 0)
}
