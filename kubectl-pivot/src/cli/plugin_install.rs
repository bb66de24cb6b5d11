//! `kubectl pivot plugin install`.

use std::path::PathBuf;

use plugin_artifact::{Key, Source};

use super::prompt;
use crate::commands::{self, ArtifactChoice, ChangedPlugin, CommandError, PluginOffer, exit};
use crate::render;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct InstallArgs {
    /// The libraries and programs, or artifacts of a registry, oci://HOST/NAME:VERSION.
    #[arg(value_name = "FILE|SOURCE", required_unless_present = "lock")]
    wanted: Vec<String>,
    /// Copy them here instead, for example to `plugins/` beside the program.
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Public key of minisign, or a file with it: what comes from a registry has to be signed by
    /// it, now and with every upgrade.
    #[arg(long, value_name = "KEY|FILE")]
    key: Option<String>,
    /// Do not ask before what comes from a registry is installed and trusted.
    #[arg(long, short)]
    yes: bool,
}

pub(super) async fn run(args: InstallArgs, lock: Option<PathBuf>) -> Result<u8, CommandError> {
    let to = args.to.as_deref();
    let installed = match (&args.wanted[..], &lock) {
        ([], Some(lock)) => commands::plugin_install_locked(lock, to).await?,
        _ => each(&args, lock).await?,
    };
    render::print(&render::installed(&installed, to));
    Ok(exit::OK)
}

async fn each(
    args: &InstallArgs,
    lock: Option<PathBuf>,
) -> Result<Vec<ChangedPlugin>, CommandError> {
    let key = args.key.as_deref().map(key).transpose()?;
    let choice = ArtifactChoice { folder: args.to.clone(), key, lock, expected: None };
    let mut installed = Vec::new();
    for wanted in &args.wanted {
        if !Source::is_meant_by(wanted) {
            let files = [PathBuf::from(wanted)];
            installed.extend(commands::plugin_install(&files, args.to.as_deref())?);
            continue;
        }
        let source = Source::parse_exact(wanted)?;
        let agrees = |offer: &PluginOffer| agrees(offer, args.yes);
        match commands::plugin_install_artifact(&source, &choice, agrees).await? {
            Some(plugin) => installed.push(plugin),
            None => return Err(CommandError::NotConfirmed),
        }
    }
    Ok(installed)
}

/// Shows what is to be trusted, and asks. Without a terminal only `--yes` is a yes: code of others
/// is about to run here.
pub(super) fn agrees(offer: &PluginOffer, yes: bool) -> bool {
    let shown = render::offer(offer);
    if yes {
        render::print(&shown);
        return true;
    }
    prompt::is_possible() && prompt::confirm(&format!("{shown}Install and trust it?"))
}

/// The key, or the file that has it. An error names the argument and never shows what is in the
/// file, which may be the secret key.
fn key(text: &str) -> Result<Key, CommandError> {
    match std::fs::read_to_string(text) {
        Ok(file) => Ok(Key::parse(&file, &format!("the file `{text}` of --key"))?),
        Err(_) => Ok(Key::parse(text, "the value of --key")?),
    }
}
