//! The command line: one file for each subcommand. Parses, calls a command, renders, exits.

mod abort;
mod allow;
mod backup;
mod backup_prune;
mod backup_verify;
mod backups;
mod choice;
mod clusters;
mod completion;
mod create;
mod delete;
mod demo;
mod diagnose;
mod doctor;
mod explain;
mod help;
mod move_clusters;
mod names;
mod next;
mod output;
mod pace;
mod plan;
mod plugin;
mod plugin_install;
mod probes;
mod prompt;
mod rbac;
mod render;
mod replace;
mod restore;
mod resume;
mod rollback;
mod sandbox;
mod signals;
mod status;
mod take_over;
mod tools;
mod verify;
mod version;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use support::duration;
use support::journal::{Events, keep, state_folder};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use transfer::Stop;

use crate::called;
use crate::commands::{CommandError, exit};
use crate::panics;
use crate::render::Progress;

/// Move, create, back up and restore Cluster API management clusters.
#[derive(Debug, Parser)]
#[command(
    name = "kubectl-pivot",
    bin_name = called::words(),
    version,
    max_term_width = 100,
    after_help = help::EXAMPLES
)]
struct Cli {
    #[command(flatten)]
    progress: output::ProgressArgs,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Move Cluster API objects to another management cluster.
    #[command(after_help = move_clusters::EXAMPLES)]
    Move(move_clusters::Args),
    /// Finish a move or a run of create that was interrupted.
    #[command(after_help = resume::EXAMPLES)]
    Resume(resume::Args),
    /// Undo a move that was interrupted before its first deletion.
    #[command(after_help = rollback::EXAMPLES)]
    Rollback(rollback::Args),
    /// Replace a management cluster; the old one stays, paused.
    #[command(after_help = replace::EXAMPLES)]
    Replace(Box<replace::Args>),
    /// Show the runs in two clusters, or how far runs of create are.
    #[command(after_help = status::EXAMPLES)]
    Status(status::Args),
    /// Show what a move would take, what stays, and why.
    #[command(after_help = plan::EXAMPLES)]
    Plan(plan::Args),
    /// Check that a move is complete, and its clusters healthy.
    #[command(after_help = verify::EXAMPLES)]
    Verify(verify::Args),
    /// Explain a finding: its meaning, the fix, the reason.
    #[command(after_help = explain::EXAMPLES)]
    Explain(explain::Args),
    /// Print the roles that a user needs for a move.
    #[command(after_help = rbac::EXAMPLES)]
    Rbac(rbac::Args),
    /// Write a consistent backup of the Cluster API objects.
    #[command(after_help = backup::EXAMPLES)]
    Backup(backup::Args),
    /// Create the objects of a backup in a management cluster.
    #[command(after_help = restore::EXAMPLES)]
    Restore(restore::Args),
    /// Create a management cluster that manages itself.
    #[command(after_help = create::EXAMPLES)]
    Create(Box<create::Args>),
    /// Delete a cluster that manages itself, with its machines.
    #[command(after_help = delete::EXAMPLES)]
    Delete(Box<delete::Args>),
    /// Remove the bootstrap cluster and the folder of a run.
    #[command(after_help = abort::EXAMPLES)]
    Abort(abort::Args),
    /// Collect what explains a failed run in one archive.
    #[command(after_help = diagnose::EXAMPLES)]
    Diagnose(diagnose::Args),
    /// Print the manifests of a cluster, as a plugin renders them.
    #[command(after_help = render::EXAMPLES)]
    Render(render::Args),
    /// Show a move from nothing, on this machine.
    #[command(after_help = demo::EXAMPLES)]
    Demo(demo::Args),
    /// Start, list and end local control planes, without Docker.
    #[command(after_help = sandbox::EXAMPLES)]
    Sandbox(sandbox::Args),
    /// List, check, install, trust and write plugins.
    #[command(after_help = plugin::EXAMPLES)]
    Plugin(plugin::Args),
    /// Examine this machine, with a fix for each problem.
    #[command(after_help = doctor::EXAMPLES)]
    Doctor(doctor::Args),
    /// Print or install the completion of command lines.
    #[command(after_help = completion::EXAMPLES)]
    Completion(completion::Args),
    /// Print the version of the program and of its protocol.
    #[command(after_help = version::EXAMPLES)]
    Version(version::Args),
}

impl Command {
    /// Returns true if the command stops at a safe point and cleans up. A signal ends the others at
    /// once, the relay of a sandbox among them.
    fn has_safe_points(&self) -> bool {
        let ends_at_once = matches!(
            self,
            Self::Sandbox(_)
                | Self::Rbac(_)
                | Self::Render(_)
                | Self::Plugin(_)
                | Self::Explain(_)
                | Self::Completion(_)
                | Self::Version(_)
        );
        !ends_at_once
    }
}

/// Limits the wait at the end: a credential plugin may hang.
const LONGEST_SHUTDOWN: Duration = Duration::from_secs(2);

/// The progress display and the stop switch, for every subcommand.
struct Context {
    progress: Progress,
    stop: Stop,
    /// True if results for people have everything.
    is_verbose: bool,
}

impl Context {
    /// Returns the events of a run: the user sees them, and the journal keeps them if it has a
    /// folder.
    fn events_of_run(&self) -> Events {
        let events = self.progress.events();
        match state_folder() {
            Some(folder) => keep(events, folder.join("runs")),
            None => events,
        }
    }
}

/// Returns the files of completion for an archive: a name below the folder of the program, and the
/// text.
pub fn completion_files() -> Vec<(&'static str, String)> {
    completion::files()
}

/// The command line as data: for man pages.
pub fn command() -> clap::Command {
    Cli::command().bin_name("kubectl-pivot")
}

/// Stack of the thread that runs a command. Unoptimised, a move within a workflow needs more than
/// the 8 MiB that a main thread has.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Runs the program with the process's arguments.
pub fn run() -> ExitCode {
    if completion::is_answered(Cli::command) {
        return ExitCode::SUCCESS;
    }
    let thread = thread::Builder::new().name("main".to_owned()).stack_size(STACK_BYTES);
    let done = thread.spawn(run_command).map(thread::JoinHandle::join);
    match done {
        Ok(Ok(code)) => code,
        // The panic has been printed.
        Ok(Err(_)) => ExitCode::FAILURE,
        Err(error) => {
            crate::render::print_error(&format!("cannot start: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run_command() -> ExitCode {
    init_log();
    panics::print_where();
    let cli = parse();
    let progress = Progress::on_stderr(cli.progress.view());
    let context = Context {
        progress: progress.clone(),
        stop: Stop::default(),
        is_verbose: cli.progress.is_verbose(),
    };
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
                Command::Delete(args) => delete::run(*args, &context).await,
                Command::Abort(args) => abort::run(args, &context).await,
                Command::Diagnose(args) => diagnose::run(args, &context).await,
                Command::Move(args) => move_clusters::run(args, &context).await,
                Command::Resume(args) => resume::run(args, &context).await,
                Command::Replace(args) => replace::run(*args, &context).await,
                Command::Rollback(args) => rollback::run(args, &context).await,
                Command::Backup(args) => backup::run(args, &context).await,
                Command::Restore(args) => restore::run(args, &context).await,
                Command::Status(args) => status::run(args, &context).await,
                Command::Plan(args) => plan::run(args, &context).await,
                Command::Verify(args) => verify::run(args, &context).await,
                Command::Explain(args) => explain::run(&args),
                Command::Completion(args) => completion::run(args),
                Command::Version(args) => version::run(&args),
                Command::Rbac(args) => rbac::run(args, &context).await,
                Command::Render(args) => render::run(args, &context).await,
                Command::Plugin(args) => plugin::run(args).await,
                Command::Doctor(args) => doctor::run(args, &context).await,
                Command::Demo(args) => demo::run(args, &context).await,
                Command::Sandbox(args) => sandbox::run(args, &context).await,
            }
        };
        let done = support::panics::caught(command).await;
        done.unwrap_or_else(|panic| Err(CommandError::Panicked(panic)))
    });
    runtime.shutdown_timeout(LONGEST_SHUTDOWN);
    progress.clear();
    ExitCode::from(result.unwrap_or_else(|error| {
        progress.failure(&error, error.hint().as_deref(), error.exit_code());
        error.exit_code()
    }))
}

/// Parses the process's arguments; ends the process with a usage error, the help or the version.
fn parse() -> Cli {
    let matches = called::in_help(help::command(Cli::command())).get_matches();
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// Checks that a command line parses, for tests of the documents.
///
/// # Errors
/// The usage error that a user would see.
pub fn check_line(words: &[String]) -> Result<(), String> {
    match Cli::try_parse_from(words) {
        Err(error) if error.use_stderr() => Err(error.to_string()),
        _ => Ok(()),
    }
}

/// Returns the help of all commands as a page of Markdown, for the reference.
pub fn reference() -> String {
    help::reference(help::command(Cli::command()))
}

/// Returns the long flags of all commands, for tests of the documents.
pub fn long_flags() -> BTreeSet<String> {
    let mut root = Cli::command();
    root.build();
    let mut found = BTreeSet::new();
    let mut left = vec![&root];
    while let Some(command) = left.pop() {
        let flags = command.get_arguments().filter_map(clap::Arg::get_long_and_visible_aliases);
        found.extend(flags.flatten().map(|flag| format!("--{flag}")));
        left.extend(command.get_subcommands());
    }
    found
}

/// Diagnostics for bug reports, off by default: `KUBECTL_PIVOT_LOG=debug`.
fn init_log() {
    let wanted = std::env::var("KUBECTL_PIVOT_LOG").ok().filter(|wanted| !wanted.is_empty());
    let filter: Targets = wanted.and_then(|wanted| wanted.parse().ok()).unwrap_or_default();
    let lines = tracing_subscriber::fmt::layer().with_writer(|| VisibleLog);
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
}

/// Standard error, for lines that others may have written, such as plugins.
struct VisibleLog;

impl Write for VisibleLog {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let shown = support::visible::output(&String::from_utf8_lossy(text));
        io::stderr().write_all(shown.as_bytes())?;
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls `check` with each visible command below this one, and its words.
    fn for_each_command(
        command: &clap::Command,
        words: &str,
        check: &mut impl FnMut(&clap::Command, &str),
    ) {
        check(command, words);
        for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
            for_each_command(inner, &format!("{words} {}", inner.get_name()), check);
        }
    }

    #[test]
    fn every_command_has_a_description_and_two_examples_that_parse() {
        for_each_command(&Cli::command(), "kubectl pivot", &mut |command, words| {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(!about.is_empty(), "{words} has no description");
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples: Vec<&str> =
                help.lines().map(str::trim).filter(|line| line.starts_with("kubectl ")).collect();
            assert!(examples.len() >= 2, "{words} has {} examples", examples.len());
            for example in examples {
                assert!(example.starts_with("kubectl pivot"), "{words}: {example}");
                // Behind a pipe stands another program.
                let own = example.split(" | ").next().unwrap_or(example);
                let typed = own.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>();
                check_line(&typed).unwrap_or_else(|error| panic!("{example}\n{error}"));
            }
        });
    }

    #[test]
    fn every_flag_of_a_command_with_many_is_below_a_heading() {
        for_each_command(&Cli::command(), "kubectl pivot", &mut |command, words| {
            let flags = command.get_opts().filter(|flag| !flag.is_hide_set());
            let flags: Vec<_> = flags.filter(|flag| flag.get_id() != "help").collect();
            if flags.len() < 6 {
                return;
            }
            for flag in flags {
                assert!(flag.get_help_heading().is_some(), "{words}: {} has none", flag.get_id());
            }
        });
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn names_of_runs_and_namespaces_are_not_paths() {
        for words in [
            ["resume", "../../x"].as_slice(),
            &["abort", "/abs"],
            &["diagnose", "../x"],
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
