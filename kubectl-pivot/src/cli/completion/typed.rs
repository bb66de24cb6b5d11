//! The part of the command line before the word that is completed: it names clusters, namespaces
//! and folders.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;

use clap::{ArgMatches, Command};
use cluster::KubeconfigRef;

/// Settings that the user has typed already.
#[derive(Debug, Default)]
pub(super) struct Typed {
    pub(super) source: KubeconfigRef,
    pub(super) target: KubeconfigRef,
    pub(super) namespaces: Vec<String>,
    pub(super) is_for_all_namespaces: bool,
    pub(super) plugin_folders: Vec<PathBuf>,
}

/// The functions that list values get the current word only, so the rest waits here. A process
/// completes one line.
static TYPED: OnceLock<Typed> = OnceLock::new();

/// Returns the settings that the user has typed already.
pub(super) fn typed() -> &'static Typed {
    TYPED.get_or_init(Typed::default)
}

/// Keeps the settings of a command line, which may be wrong or incomplete.
pub(super) fn remember(command: Command, words: &[OsString]) {
    let _ = TYPED.set(read(command, words));
}

fn read(command: Command, words: &[OsString]) -> Typed {
    let matches = command.ignore_errors(true).try_get_matches_from(words);
    let Ok(matches) = matches else { return Typed::default() };
    let mut inner = &matches;
    while let Some((_, deeper)) = inner.subcommand() {
        inner = deeper;
    }
    Typed {
        source: KubeconfigRef { path: one(inner, "kubeconfig"), context: one(inner, "context") },
        target: KubeconfigRef {
            path: one(inner, "to_kubeconfig"),
            context: one(inner, "to_context"),
        },
        namespaces: all(inner, "namespace"),
        is_for_all_namespaces: one(inner, "all_namespaces").unwrap_or_default(),
        plugin_folders: all(inner, "folders"),
    }
}

/// Returns the value of a flag, if the command has the flag and the user has given it.
fn one<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, id: &str) -> Option<T> {
    matches.try_get_one(id).ok().flatten().cloned()
}

fn all<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, id: &str) -> Vec<T> {
    let values = matches.try_get_many(id).ok().flatten();
    values.map(|values| values.cloned().collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_before_the_cursor_are_read_also_from_an_unfinished_line() {
        let line =
            "kubectl-pivot move --kubeconfig a --context old --to-kubeconfig b -n x -n y --cluster";
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let typed = read(crate::cli::command(), &words);
        assert_eq!(typed.source.path, Some("a".into()));
        assert_eq!(typed.source.context.as_deref(), Some("old"));
        assert_eq!(typed.target.path, Some("b".into()));
        assert_eq!(typed.namespaces, ["x", "y"]);
        assert!(!typed.is_for_all_namespaces);
    }

    #[test]
    fn a_wrong_flag_and_another_command_are_no_trouble() {
        for line in ["kubectl-pivot move --nonsense -A", "kubectl-pivot version", "kubectl-pivot"] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(
                read(crate::cli::command(), &words).source,
                KubeconfigRef::default(),
                "{line}"
            );
        }
    }
}
