//! `kubectl pivot plugin`.

use std::path::PathBuf;

use clap::ValueEnum;
use kubectl_pivot_plugin_api::PluginKind;

use super::completion::values;
use super::output::Output;
use crate::commands::{self, CommandError, NewPluginRequest, exit};
use crate::render;

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # The plugins that are found; runs none of them
  kubectl pivot plugin list

  # Install a plugin and trust it
  kubectl pivot plugin install libkubectl_pivot_plugin_docker.so

  # The variables of a plugin
  kubectl pivot plugin info docker";

const LIST_EXAMPLES: &str = "Examples:
  # All plugins
  kubectl pivot plugin list

  # With a folder of your own
  kubectl pivot plugin list --plugin-dir ./plugins -o json";

const INFO_EXAMPLES: &str = "Examples:
  # Variables, providers, requirements
  kubectl pivot plugin info docker

  # For scripts
  kubectl pivot plugin info docker -o json";

const CHECK_EXAMPLES: &str = "Examples:
  # Before you publish a plugin
  kubectl pivot plugin check target/release/libkubectl_pivot_plugin_potato.so

  # In CI
  kubectl pivot plugin check libkubectl_pivot_plugin_potato.so -o json";

const INSTALL_EXAMPLES: &str = "Examples:
  # For yourself
  kubectl pivot plugin install libkubectl_pivot_plugin_docker.so

  # A plugin in another language, which is a program
  kubectl pivot plugin install kubectl-pivot-plugin-potato

  # Beside the program, for all users of a machine
  kubectl pivot plugin install libkubectl_pivot_plugin_docker.so --to /usr/local/bin/plugins";

const REMOVE_EXAMPLES: &str = "Examples:
  # The names
  kubectl pivot plugin list

  # One of them
  kubectl pivot plugin remove docker";

const TRUST_EXAMPLES: &str = "Examples:
  # A plugin of the search path
  kubectl pivot plugin trust docker

  # A plugin of a folder of your own
  kubectl pivot plugin trust potato --plugin-dir ./plugins";

const NEW_EXAMPLES: &str = "Examples:
  # An infrastructure plugin
  kubectl pivot plugin new potato --kind infrastructure

  # In Go
  kubectl pivot plugin new potato --kind infrastructure --language go

  # A network plugin, in a checkout of this repository
  kubectl pivot plugin new mash --kind cni --api-path plugin-api";

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    folders: PluginFolders,
    #[command(subcommand)]
    command: Command,
}

/// Folders of plugins that come before the usual ones.
#[derive(Debug, clap::Args)]
pub(super) struct PluginFolders {
    /// Look for plugins here first; can be given more than once.
    #[arg(
        long = "plugin-dir",
        value_name = "DIR",
        global = true,
        help_heading = "Plugins and probes"
    )]
    pub(super) folders: Vec<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List all plugins that are found. Runs none of them.
    #[command(after_help = LIST_EXAMPLES)]
    List {
        /// Output format.
        #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
        output: Output,
    },
    /// Describe a plugin: variables, providers, what it needs.
    #[command(after_help = INFO_EXAMPLES)]
    Info {
        /// Name of the plugin.
        #[arg(add = values::plugins())]
        name: String,
        /// Output format.
        #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
        output: Output,
    },
    /// Run a plugin's code and check that it behaves as a plugin must.
    #[command(after_help = CHECK_EXAMPLES)]
    Check {
        /// The library or the program.
        file: PathBuf,
        /// Output format.
        #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
        output: Output,
    },
    /// Copy libraries and programs to the user's plugins, and trust them.
    #[command(after_help = INSTALL_EXAMPLES)]
    Install {
        /// The libraries and programs.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// Copy them here instead, for example to `plugins/` beside the program.
        #[arg(long, value_name = "DIR")]
        to: Option<PathBuf>,
    },
    /// Remove a plugin of the user.
    #[command(after_help = REMOVE_EXAMPLES)]
    Remove {
        /// Name of the plugin.
        #[arg(add = values::plugins())]
        name: String,
    },
    /// Trust a plugin where it is, as it is now.
    #[command(after_help = TRUST_EXAMPLES)]
    Trust {
        /// Name of the plugin.
        #[arg(add = values::plugins())]
        name: String,
    },
    /// Write the source of a new plugin, which builds and passes `plugin check` as it is.
    #[command(after_help = NEW_EXAMPLES)]
    New(NewArgs),
}

#[derive(Debug, clap::Args)]
struct NewArgs {
    /// Name of the plugin.
    name: String,
    /// Kind of the plugin.
    #[arg(long, value_enum)]
    kind: Kind,
    /// Language of the plugin: a crate, or a Go module.
    #[arg(long, value_enum, default_value_t)]
    language: Language,
    /// Folder of the crate or module [default: kubectl-pivot-plugin-<NAME>].
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
    /// Folder `plugin-api` of kubectl-pivot's source [default: the repository, by its address].
    #[arg(long, value_name = "DIR")]
    api_path: Option<PathBuf>,
}

/// Kinds of plugins.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Infrastructure,
    Cni,
}

/// Languages of a new plugin.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Language {
    #[default]
    Rust,
    Go,
}

pub(super) fn run(args: Args) -> Result<u8, CommandError> {
    let folders = args.folders.folders;
    match args.command {
        Command::List { output } => {
            let list = commands::plugin_list(&folders)?;
            render::show(render::structured(&list, output.into()), |screen| {
                render::plugins(&list, screen)
            });
        }
        Command::Info { name, output } => {
            let details = commands::plugin_info(&name, &folders)?;
            render::show(render::structured(&details, output.into()), |screen| {
                render::plugin(&details, screen)
            });
        }
        Command::Check { file, output } => return check(file, output),
        Command::Install { files, to } => {
            let installed = commands::plugin_install(&files, to.as_deref())?;
            render::print(&render::installed(&installed, to.as_deref()));
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
                language: match args.language {
                    Language::Rust => commands::Language::Rust,
                    Language::Go => commands::Language::Go,
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
    render::show(render::structured(&check, output.into()), |screen| {
        render::plugin_check(&check, screen)
    });
    Ok(if check.holds() { exit::OK } else { exit::NOT_VERIFIED })
}
