//! `kubectl pivot plugin`.

use std::path::PathBuf;

use clap::ValueEnum;
use kubectl_pivot_plugin_api::PluginKind;

use super::output::Output;
use crate::commands::{self, CommandError, NewPluginRequest, exit};
use crate::render;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    folders: PluginFolders,
    #[command(subcommand)]
    command: Command,
}

/// Where plugins are looked for first.
#[derive(Debug, clap::Args)]
pub(super) struct PluginFolders {
    /// Look for plugins here first; can be given more than once.
    #[arg(long = "plugin-dir", value_name = "DIR", global = true)]
    pub(super) folders: Vec<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List all plugins that are found. Runs none of them.
    List {
        /// Output format.
        #[arg(long, short, value_enum, default_value_t)]
        output: Output,
    },
    /// Describe a plugin: variables, providers, what it needs.
    Info {
        /// Name of the plugin.
        name: String,
        /// Output format.
        #[arg(long, short, value_enum, default_value_t)]
        output: Output,
    },
    /// Run a library's code and check that it behaves as a plugin must.
    Check {
        /// The library.
        file: PathBuf,
        /// Output format.
        #[arg(long, short, value_enum, default_value_t)]
        output: Output,
    },
    /// Copy libraries to the user's plugins, and trust them.
    Install {
        /// The libraries.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// Copy them here instead, for example to `plugins/` beside the program.
        #[arg(long, value_name = "DIR")]
        to: Option<PathBuf>,
    },
    /// Remove a plugin of the user.
    Remove {
        /// Name of the plugin.
        name: String,
    },
    /// Trust a plugin where it is, as it is now.
    Trust {
        /// Name of the plugin.
        name: String,
    },
    /// Write the crate of a new plugin, which builds and passes `plugin check` as it is.
    New(NewArgs),
}

#[derive(Debug, clap::Args)]
struct NewArgs {
    /// Name of the plugin.
    name: String,
    /// What it adds.
    #[arg(long, value_enum)]
    kind: Kind,
    /// Folder of the crate [default: kubectl-pivot-plugin-<NAME>].
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
    /// Folder of the crate kubectl-pivot-plugin-api [default: the repository, with git].
    #[arg(long, value_name = "DIR")]
    api_path: Option<PathBuf>,
}

/// Kinds of plugins.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// Machines and networks to put clusters on.
    Infrastructure,
    /// A network between the pods of a cluster.
    Cni,
}

pub(super) fn run(args: Args) -> Result<u8, CommandError> {
    let folders = args.folders.folders;
    match args.command {
        Command::List { output } => {
            let list = commands::plugin_list(&folders)?;
            render::print(
                &render::structured(&list, output.into()).unwrap_or_else(|| render::plugins(&list)),
            );
        }
        Command::Info { name, output } => {
            let details = commands::plugin_info(&name, &folders)?;
            render::print(
                &render::structured(&details, output.into())
                    .unwrap_or_else(|| render::plugin(&details)),
            );
        }
        Command::Check { file, output } => return check(file, output),
        Command::Install { files, to } => {
            let installed = commands::plugin_install(&files, to.as_deref())?;
            render::print(&render::installed(&installed));
        }
        Command::Remove { name } => {
            commands::plugin_remove(&name)?;
            render::print(&format!("plugin {name} removed"));
        }
        Command::Trust { name } => {
            render::print(&render::trusted(&commands::plugin_trust(&name, &folders)?));
        }
        Command::New(args) => {
            let request = NewPluginRequest {
                name: args.name,
                kind: match args.kind {
                    Kind::Infrastructure => PluginKind::Infrastructure,
                    Kind::Cni => PluginKind::Cni,
                },
                folder: args.path,
                api_path: args.api_path,
            };
            render::print(&render::new_plugin(&commands::plugin_new(&request)?));
        }
    }
    Ok(exit::OK)
}

fn check(file: PathBuf, output: Output) -> Result<u8, CommandError> {
    let check = commands::plugin_check(&file)?;
    render::print(
        &render::structured(&check, output.into()).unwrap_or_else(|| render::plugin_check(&check)),
    );
    Ok(if check.holds() { exit::OK } else { exit::NOT_VERIFIED })
}
