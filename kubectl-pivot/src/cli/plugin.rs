//! `kubectl pivot plugin`.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use cluster::KubeconfigRef;
use kubectl_pivot_plugin_api::PluginKind;
use plugin_artifact::Source;

use super::completion::values;
use super::output::Output;
use super::plugin_install::{self, InstallArgs};
use super::render::assignment;
use crate::commands::{
    self, CommandError, NewPluginRequest, PackageRequest, PluginOffer, PluginPlaces,
    RenderedChecks, exit,
};
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

  # What it renders, against real schemas: a sandbox has those of Cluster API, add your own CRDs
  kubectl pivot plugin check libpotato.so --kubeconfig source.kubeconfig --golden golden.yaml

  # In CI
  kubectl pivot plugin check libkubectl_pivot_plugin_potato.so -o json";

const INSTALL_EXAMPLES: &str = "Examples:
  # For yourself
  kubectl pivot plugin install libkubectl_pivot_plugin_docker.so

  # A plugin in another language, which is a program
  kubectl pivot plugin install kubectl-pivot-plugin-potato

  # From a registry; shows what it is, and asks
  kubectl pivot plugin install oci://registry.example/plugins/potato:1.2.0

  # The plugins that the repository of a team names
  kubectl pivot plugin install --plugin-lock plugins.lock.json

  # Beside the program, for all users of a machine
  kubectl pivot plugin install libkubectl_pivot_plugin_docker.so --to /usr/local/bin/plugins";

const PACKAGE_EXAMPLES: &str = "Examples:
  # One file for each platform, into a folder
  kubectl pivot plugin package linux/libpotato.so macos/libpotato.dylib --to artifact

  # Into a registry, as the version of the plugin
  kubectl pivot plugin package kubectl-pivot-plugin-potato --push oci://registry.example/plugins/potato";

const OUTDATED_EXAMPLES: &str = "Examples:
  # What is newer where your plugins came from
  kubectl pivot plugin outdated

  # For scripts
  kubectl pivot plugin outdated -o json";

const UPGRADE_EXAMPLES: &str = "Examples:
  # One plugin
  kubectl pivot plugin upgrade potato

  # All that came from a registry
  kubectl pivot plugin upgrade";

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

/// Places of plugins.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct PluginFolders {
    /// Look for plugins here first; can be given more than once.
    #[arg(
        long = "plugin-dir",
        value_name = "DIR",
        global = true,
        help_heading = "Plugins and probes"
    )]
    pub(super) folders: Vec<PathBuf>,
    /// Trust the plugins that this file names, and not those that you have trusted; for a team
    /// whose repository has it.
    #[arg(
        long = "plugin-lock",
        value_name = "FILE",
        global = true,
        help_heading = "Plugins and probes"
    )]
    pub(super) lock: Option<PathBuf>,
}

impl From<PluginFolders> for PluginPlaces {
    fn from(PluginFolders { folders, lock }: PluginFolders) -> Self {
        Self { folders, lock }
    }
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
        #[command(flatten)]
        rendered: RenderedArgs,
        /// Output format.
        #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
        output: Output,
    },
    /// Copy libraries and programs to the user's plugins, from files or a registry, and trust them.
    #[command(after_help = INSTALL_EXAMPLES)]
    Install(InstallArgs),
    /// Make an artifact for a registry of the files of one plugin. Runs those of this machine.
    #[command(after_help = PACKAGE_EXAMPLES)]
    Package(PackageArgs),
    /// List newer versions of the plugins that came from a registry. Runs none of them.
    #[command(after_help = OUTDATED_EXAMPLES)]
    Outdated {
        /// Output format.
        #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
        output: Output,
    },
    /// Install the newest versions of plugins that came from a registry.
    #[command(after_help = UPGRADE_EXAMPLES)]
    Upgrade {
        /// Names of plugins [default: all that came from a registry].
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
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

/// Flags that hold the objects of an infrastructure plugin against something.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Rendered objects")]
struct RenderedArgs {
    /// Hold the objects against those in this file, which is written if it is not there.
    #[arg(long, value_name = "FILE")]
    golden: Option<PathBuf>,
    /// Have the API server of this management cluster judge the objects, by a dry-run.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Context within the kubeconfig [default: its current context].
    #[arg(long, value_name = "NAME", add = values::contexts())]
    context: Option<String>,
    /// Set a variable of the plugin; can be given more than once.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = assignment)]
    variables: Vec<(String, String)>,
}

impl From<RenderedArgs> for RenderedChecks {
    fn from(args: RenderedArgs) -> Self {
        let RenderedArgs { golden, kubeconfig: path, context, variables } = args;
        let is_wanted = path.is_some() || context.is_some();
        let cluster = is_wanted.then_some(KubeconfigRef { path, context });
        Self { variables, golden, cluster }
    }
}

#[derive(Debug, clap::Args)]
struct PackageArgs {
    /// The libraries and programs, one for each platform. A signature FILE.minisig is taken along.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Folder for the artifact, in the image layout of OCI.
    #[arg(long, value_name = "DIR", required_unless_present = "push")]
    to: Option<PathBuf>,
    /// Registry for the artifact, oci://HOST/NAME[:VERSION] [default version: that of the plugin].
    #[arg(long, value_name = "SOURCE", value_parser = Source::parse)]
    push: Option<Source>,
    /// Your name, shown to who installs it.
    #[arg(long, value_name = "TEXT")]
    publisher: Option<String>,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
    output: Output,
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
    /// Folder `plugin-api` of kubectl-pivot's source [default: the sources that this
    /// program was built from, written beside the plugin].
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

pub(super) async fn run(args: Args) -> Result<u8, CommandError> {
    let places = PluginPlaces::from(args.folders);
    match args.command {
        Command::List { output } => {
            let list = commands::plugin_list(&places)?;
            render::show(render::structured(&list, output.into()), |screen| {
                render::plugins(&list, screen)
            });
        }
        Command::Info { name, output } => {
            let details = commands::plugin_info(&name, &places)?;
            render::show(render::structured(&details, output.into()), |screen| {
                render::plugin(&details, screen)
            });
        }
        Command::Check { file, rendered, output } => {
            return check(&file, rendered.into(), output).await;
        }
        Command::Install(args) => return plugin_install::run(args, places.lock).await,
        Command::Package(args) => package(args).await?,
        Command::Outdated { output } => {
            let list = commands::plugin_outdated().await?;
            render::show(render::structured(&list, output.into()), |_| render::outdated(&list));
        }
        Command::Upgrade { names, yes } => {
            let agrees = |offer: &PluginOffer| plugin_install::agrees(offer, yes);
            let upgraded = commands::plugin_upgrade(&names, agrees).await?;
            render::print(&render::upgraded(&upgraded));
        }
        Command::Remove { name } => {
            commands::plugin_remove(&name)?;
            render::print(&format!("plugin {name} removed"));
        }
        Command::Trust { name } => {
            render::print(&render::trusted(&commands::plugin_trust(&name, &places)?));
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

async fn package(args: PackageArgs) -> Result<(), CommandError> {
    let request = PackageRequest {
        files: args.files,
        publisher: args.publisher,
        folder: args.to,
        push: args.push,
    };
    let packaged = commands::plugin_package(&request).await?;
    let output = args.output;
    render::show(render::structured(&packaged, output.into()), |_| render::packaged(&packaged));
    Ok(())
}

async fn check(file: &Path, rendered: RenderedChecks, output: Output) -> Result<u8, CommandError> {
    let check = commands::plugin_check(file, &rendered).await?;
    render::show(render::structured(&check, output.into()), |screen| {
        render::plugin_check(&check, screen)
    });
    Ok(if check.holds() { exit::OK } else { exit::NOT_VERIFIED })
}
