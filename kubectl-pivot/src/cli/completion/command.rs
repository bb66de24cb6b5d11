//! `kubectl pivot completion`.

use std::env;
use std::path::{Path, PathBuf};

use super::shell::Shell;
use crate::called;
use crate::cli::output::Output;
use crate::commands::{self, CommandError, CompletionRequest, ShellScript, exit};
use crate::render;

/// Examples of the help.
pub(in crate::cli) const EXAMPLES: &str = "Examples:
  # For your shell and for `kubectl pivot`
  kubectl pivot completion install

  # For this session of bash only; zsh and fish alike
  source <(kubectl pivot completion bash)

  # In the profile of PowerShell
  kubectl pivot completion powershell | Out-String | Invoke-Expression";

const INSTALL_EXAMPLES: &str = "Examples:
  # For the shell that $SHELL names
  kubectl pivot completion install

  # For all users of a machine
  kubectl pivot completion install --shell fish --bin-dir /usr/local/bin";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Shell to print a script for.
    #[arg(value_enum, required = true)]
    shell: Option<Shell>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Write the script where the shell finds it, and `kubectl_complete-pivot` where kubectl finds
    /// it.
    #[command(after_help = INSTALL_EXAMPLES)]
    Install(InstallArgs),
}

#[derive(Debug, clap::Args)]
struct InstallArgs {
    /// Shell [default: the one that $SHELL names].
    #[arg(long, value_enum)]
    shell: Option<Shell>,
    /// Folder for `kubectl_complete-pivot` [default: that of kubectl-pivot, or one of yours in
    /// PATH].
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    bin_dir: Option<PathBuf>,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t)]
    output: Output,
}

pub(in crate::cli) fn run(args: Args) -> Result<u8, CommandError> {
    match (args.command, args.shell) {
        (Some(Command::Install(args)), _) => install(args),
        (None, Some(shell)) => {
            render::print(&shell.script(called::program()));
            Ok(exit::OK)
        }
        (None, None) => unreachable!("the parser asks for a shell"),
    }
}

fn install(args: InstallArgs) -> Result<u8, CommandError> {
    let shell = args.shell.or_else(of_user).ok_or_else(|| {
        let text = "cannot tell your shell from $SHELL; name it with --shell bash, zsh, fish or \
                    powershell";
        CommandError::Usage(text.to_owned())
    })?;
    let program = called::program();
    let request = CompletionRequest {
        program: program.to_owned(),
        script: ShellScript { shell: shell.name(), text: shell.script(program) },
        bin_folder: args.bin_dir,
    };
    let installed = commands::completion_install(&request)?;
    let text = render::structured(&installed, args.output.into());
    render::show(text, |_| render::completion(&installed));
    Ok(exit::OK)
}

fn of_user() -> Option<Shell> {
    Shell::of_path(Path::new(&env::var_os("SHELL")?))
}
