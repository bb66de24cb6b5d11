//! The command line: one file for each subcommand. Parses, calls a command, renders, exits.

mod abort;
mod allow;
mod backup;
mod backups;
mod clusters;
mod create;
mod demo;
mod doctor;
mod gone;
mod move_clusters;
mod names;
mod output;
mod pace;
mod plugin;
mod probes;
mod rbac;
mod render;
mod restore;
mod resume;
mod rollback;
mod sandbox;
mod signals;
mod status;
mod tools;
mod verify;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::commands::{CommandError, exit};
use crate::journal::{Events, keep, state_folder};
use crate::panics;
use crate::render::Progress;
use crate::transfer::Stop;

/// Move Cluster API management clusters as a transaction: checked before, verified after.
#[derive(Debug, Parser)]
#[command(name = "kubectl-pivot", bin_name = invoked_as(), version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    progress: output::ProgressArgs,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create a management cluster that manages itself: bootstrap, create, pivot, clean up.
    Create(Box<create::Args>),
    /// Take back a run of create: its bootstrap cluster, if nothing is left in it.
    Abort(abort::Args),
    /// Move Cluster API objects to another management cluster.
    Move(move_clusters::Args),
    /// Carry on a move or a run of create that was interrupted.
    Resume(resume::Args),
    /// Put back a move that was interrupted before its point of no return.
    Rollback(rollback::Args),
    /// Write a consistent backup of a management cluster's Cluster API objects.
    Backup(backup::Args),
    /// Create the objects of a backup in a management cluster.
    Restore(restore::Args),
    /// Show what moves are going on or were interrupted in two clusters, or how far runs are.
    Status(status::Args),
    /// Check that a move is complete and the clusters are well: nothing left, nothing replaced.
    Verify(verify::Args),
    /// Print the roles that a move needs in one of its clusters, for whoever may grant them.
    Rbac(rbac::Args),
    /// Print the manifests of a cluster, as an infrastructure plugin renders them.
    Render(render::Args),
    /// List, check, install, trust and write plugins for infrastructure and networks.
    Plugin(plugin::Args),
    /// Examine this machine: programs, Docker, limits, registries; each finding with a fix.
    Doctor(doctor::Args),
    /// Show a move from nothing: two local control planes, a fleet, a verified move.
    Demo(demo::Args),
    /// Start, list and end local control planes (etcd and kube-apiserver, no Docker).
    Sandbox(sandbox::Args),
}

impl Command {
    /// Whether the command stops at a safe point when it is asked to, and cleans up. The others end at
    /// once; the relay of a sandbox among them is ended so.
    fn has_safe_points(&self) -> bool {
        !matches!(self, Self::Sandbox(_) | Self::Rbac(_) | Self::Render(_) | Self::Plugin(_))
    }
}

/// A program that gives credentials and hangs must not keep this one from its end.
const LONGEST_SHUTDOWN: Duration = Duration::from_secs(2);

/// What every subcommand gets.
struct Context {
    progress: Progress,
    stop: Stop,
}

impl Context {
    /// Where the events of a run go: to the user, and to the journal if there is a place for it.
    fn events_of_run(&self) -> Events {
        let events = self.progress.events();
        match state_folder() {
            Some(folder) => keep(events, folder.join("runs")),
            None => events,
        }
    }
}

/// Runs the program with the process's arguments.
pub fn run() -> ExitCode {
    init_log();
    panics::print_where();
    let cli = Cli::parse();
    let progress = Progress::on_stderr(cli.progress.view());
    let context = Context { progress: progress.clone(), stop: Stop::default() };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            progress.failure(&error, None, exit::FAILED);
            return ExitCode::from(exit::FAILED);
        }
    };
    let result = runtime.block_on(async {
        signals::watch(&context, cli.command.has_safe_points());
        let command = async {
            match cli.command {
                Command::Create(args) => create::run(*args, &context).await,
                Command::Abort(args) => abort::run(args, &context).await,
                Command::Move(args) => move_clusters::run(args, &context).await,
                Command::Resume(args) => resume::run(args, &context).await,
                Command::Rollback(args) => rollback::run(args, &context).await,
                Command::Backup(args) => backup::run(args, &context).await,
                Command::Restore(args) => restore::run(args, &context).await,
                Command::Status(args) => status::run(args, &context).await,
                Command::Verify(args) => verify::run(args, &context).await,
                Command::Rbac(args) => rbac::run(args, &context).await,
                Command::Render(args) => render::run(args, &context).await,
                Command::Plugin(args) => plugin::run(args),
                Command::Doctor(args) => doctor::run(args, &context).await,
                Command::Demo(args) => demo::run(args, &context).await,
                Command::Sandbox(args) => sandbox::run(args, &context).await,
            }
        };
        let done = panics::caught(command).await;
        done.unwrap_or_else(|panic| Err(CommandError::Panicked(panic)))
    });
    runtime.shutdown_timeout(LONGEST_SHUTDOWN);
    progress.clear();
    ExitCode::from(result.unwrap_or_else(|error| {
        progress.failure(&error, error.hint().as_deref(), error.exit_code());
        error.exit_code()
    }))
}

/// Diagnostics for bug reports, off by default: `KUBECTL_PIVOT_LOG=debug`.
fn init_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("KUBECTL_PIVOT_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

/// The words a user has typed to get here: `kubectl pivot`, `clusterctl pivot` or the binary's name.
fn invoked_as() -> String {
    let program = std::env::args_os().next().unwrap_or_default();
    let name =
        std::path::Path::new(&program).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    match name.as_deref() {
        Some("clusterctl-pivot") => "clusterctl pivot".to_owned(),
        _ => "kubectl pivot".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn names_of_runs_and_namespaces_are_not_paths() {
        for words in [
            ["resume", "../../x"].as_slice(),
            &["abort", "/abs"],
            &["status", "a/b"],
            &["backup", "dir", "-n", ".."],
            &["move", "--to-kubeconfig", "t", "-n", "a/../b"],
        ] {
            let line = std::iter::once("kubectl-pivot").chain(words.iter().copied());
            let error = Cli::try_parse_from(line).expect_err("not a name");
            assert_eq!(error.kind(), clap::error::ErrorKind::ValueValidation, "{error}");
        }
    }
}
