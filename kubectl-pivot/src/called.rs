//! The words by which the user calls this program, in every text that names one of its commands.
//!
//! Texts in the code say `kubectl pivot`. Under the name `kubectl-capi_pivot`, which kubectl runs
//! for `kubectl capi-pivot`, and under `clusterctl-pivot`, they say that instead.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::LazyLock;

use clap::Command;

const USUAL: &str = "kubectl pivot";

/// The usual name of the program.
pub const USUAL_PROGRAM: &str = "kubectl-pivot";

static PROGRAM: LazyLock<String> =
    LazyLock::new(|| program_for(&std::env::args_os().next().unwrap_or_default()));

static WORDS: LazyLock<String> = LazyLock::new(|| words_for(program()));

/// The name of the program, as `PATH` has it: `kubectl-pivot`, `kubectl-capi_pivot` or
/// `clusterctl-pivot`.
pub fn program() -> &'static str {
    &PROGRAM
}

/// The words that the user has typed: `kubectl pivot`, `kubectl capi-pivot` or `clusterctl pivot`.
pub fn words() -> &'static str {
    &WORDS
}

/// The text, with the commands in it as this user types them.
pub fn in_text(text: &str) -> String {
    replaced(text, words()).into_owned()
}

/// The command line, with the examples of its help as this user types them.
pub(crate) fn in_help(command: Command) -> Command {
    let ends = (command.get_after_help().cloned(), command.get_after_long_help().cloned());
    let mut command = command.mut_subcommands(in_help);
    if let Some(text) = ends.0 {
        command = command.after_help(in_text(&text.ansi().to_string()));
    }
    if let Some(text) = ends.1 {
        command = command.after_long_help(in_text(&text.ansi().to_string()));
    }
    command
}

fn replaced<'a>(text: &'a str, words: &str) -> Cow<'a, str> {
    if words == USUAL || !text.contains(USUAL) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace(USUAL, words))
}

/// Returns the name of the file, if kubectl or clusterctl would run it as a plugin.
fn program_for(program: &OsStr) -> String {
    let name = Path::new(program).file_name().and_then(OsStr::to_str).unwrap_or_default();
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_of = |host: &str| name.strip_prefix(host).is_some_and(|rest| !rest.is_empty());
    match HOSTS.into_iter().any(is_of) && name.chars().all(known) {
        true => name.to_owned(),
        false => USUAL_PROGRAM.to_owned(),
    }
}

/// Starts of the names of plugins.
const HOSTS: [&str; 2] = ["kubectl-", "clusterctl-"];

/// kubectl looks for the words of a command joined by dashes, with a dash inside of a word as an
/// underscore.
fn words_for(program: &str) -> String {
    program.replace('-', " ").replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_that_run_a_program_of_this_name() {
        for (name, words) in [
            ("kubectl-pivot", "kubectl pivot"),
            ("/home/u/.krew/bin/kubectl-capi_pivot", "kubectl capi-pivot"),
            ("kubectl-capi-pivot", "kubectl capi pivot"),
            ("./clusterctl-pivot", "clusterctl pivot"),
            ("/tmp/pivot", "kubectl pivot"),
            ("kubectl-", "kubectl pivot"),
            ("kubectl-x y", "kubectl pivot"),
            ("", "kubectl pivot"),
        ] {
            assert_eq!(words_for(&program_for(OsStr::new(name))), words, "{name}");
        }
    }

    #[test]
    fn texts_name_the_commands_of_the_user() {
        let text = "finish it with `kubectl pivot resume`";
        assert_eq!(
            replaced(text, "kubectl capi-pivot"),
            "finish it with `kubectl capi-pivot resume`"
        );
        assert_eq!(replaced(text, USUAL), text);
    }
}
