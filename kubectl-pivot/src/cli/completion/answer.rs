//! The answer to a press of the tab key.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process;
use std::thread;
use std::time::Duration;

use clap::Command;
use clap_complete::engine::{CompletionCandidate, complete};
use clap_complete::env::Shells;
use support::visible::one_line;

use super::{shell, typed};

/// First argument of a request of kubectl; cobra has this name for it.
const REQUEST: &str = "__complete";

/// Limits an answer: a folder on a network may hang. Clusters are given less time, in `values.rs`.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// Bits of the last line of an answer to kubectl, as cobra has them.
mod directive {
    pub(super) const NO_SPACE: u8 = 2;
    pub(super) const NO_FILES: u8 = 4;
}

/// Prints the candidates if this process was started to complete a command line. Returns false if
/// it was started for anything else.
pub(in crate::cli) fn is_answered(command: impl Fn() -> Command) -> bool {
    let words: Vec<OsString> = env::args_os().collect();
    let shell = env::var(shell::VARIABLE).ok().filter(|name| !name.is_empty());
    let is_of_kubectl = words.get(1).is_some_and(|word| word == REQUEST);
    if !is_of_kubectl && !is_of_shell(shell.as_deref(), &words) {
        return false;
    }
    end_after(ANSWER_TIMEOUT);
    silence();
    // The user keeps typing, also if this fails.
    let answer = catch_unwind(AssertUnwindSafe(|| match shell {
        _ if is_of_kubectl => for_kubectl(&command, words),
        Some(name) => for_shell(&command, &name, words),
        None => None,
    }));
    let mut out = io::stdout().lock();
    let _ = out.write_all(&answer.ok().flatten().unwrap_or_default());
    let _ = out.flush();
    true
}

/// Returns true for a request of a script: all of them put dashes before the line of the user. The
/// variable alone may have been exported, and would make every command a silent success.
fn is_of_shell(shell: Option<&str>, words: &[OsString]) -> bool {
    shell.is_some() && words.get(1).is_some_and(|word| word == "--")
}

/// Ends this process in time, without an answer: nothing is written before the answer is complete.
fn end_after(time: Duration) {
    thread::spawn(move || {
        thread::sleep(time);
        process::exit(0);
    });
}

/// Keeps the errors of this process and of credential plugins off the command line of the user, and
/// credential plugins from asking there.
fn silence() {
    if let Ok(null) = File::options().read(true).write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdin(&null);
        let _ = rustix::stdio::dup2_stderr(&null);
    }
}

fn for_kubectl(command: &impl Fn() -> Command, mut words: Vec<OsString>) -> Option<Vec<u8>> {
    words.remove(1);
    let last = words.len().checked_sub(1).filter(|last| *last > 0)?;
    typed::remember(command(), words.get(..last)?);
    let current = words.get(last)?.clone();
    let found = complete(&mut command(), words, last, env::current_dir().ok().as_deref()).ok()?;
    Some(cobra(&found, &current).into_bytes())
}

/// Returns candidates in the protocol of cobra: a line for each, with a tab before its description,
/// and a line with what the shell is to do.
fn cobra(found: &[CompletionCandidate], current: &OsStr) -> String {
    let is_flag = |one: &CompletionCandidate| one.get_value().as_encoded_bytes().starts_with(b"-");
    // As kubectl does it, flags are for a word that begins with a dash, or where nothing else can
    // stand.
    let are_flags_wanted = !current.is_empty() || found.iter().all(is_flag);
    let mut text = String::new();
    let mut directive = directive::NO_FILES;
    for one in found.iter().filter(|one| are_flags_wanted || !is_flag(one)) {
        let value = one.get_value().to_string_lossy();
        if value.ends_with(['/', '=']) {
            directive |= directive::NO_SPACE;
        }
        text.push_str(&value);
        if let Some(help) = one.get_help() {
            text.push('\t');
            text.push_str(&one_line(help.to_string().lines().next().unwrap_or_default()));
        }
        text.push('\n');
    }
    text.push_str(&format!(":{directive}\n"));
    text
}

fn for_shell(command: &impl Fn() -> Command, name: &str, words: Vec<OsString>) -> Option<Vec<u8>> {
    let name = Path::new(name).file_stem()?.to_str()?;
    let shells = Shells::builtins();
    let shell = shells.completer(name)?;
    // Behind the dashes stands the line of the user, from the name of the program on.
    let words: Vec<OsString> = words.into_iter().skip_while(|word| word != "--").skip(1).collect();
    let index = env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|index| index.parse().ok());
    let index: usize = index.unwrap_or_else(|| words.len().saturating_sub(1));
    typed::remember(command(), words.get(..index.min(words.len()))?);
    let mut answer = Vec::new();
    let folder = env::current_dir().ok();
    shell.write_complete(&mut command(), words, folder.as_deref(), &mut answer).ok()?;
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubectl_gets_values_first_and_flags_when_asked_for() {
        let found = [
            CompletionCandidate::new("fleet").help(Some("2 Clusters".into())),
            CompletionCandidate::new("--yes"),
        ];
        assert_eq!(cobra(&found, OsStr::new("")), "fleet\t2 Clusters\n:4\n");
        assert_eq!(cobra(&found[1..], OsStr::new("")), "--yes\n:4\n");
        assert_eq!(cobra(&found[1..], OsStr::new("-")), "--yes\n:4\n");
        assert_eq!(cobra(&["folder/".into()], OsStr::new("fo")), "folder/\n:6\n");
        assert_eq!(cobra(&[], OsStr::new("")), ":4\n");
        let hostile = [CompletionCandidate::new("a").help(Some("b\u{202e}c\nd".into()))];
        assert_eq!(cobra(&hostile, OsStr::new("")), "a\tb\\u{202e}c\n:4\n");
    }

    #[test]
    fn the_variable_alone_is_no_request() {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        assert!(is_of_shell(Some("bash"), &words(&["kubectl-pivot", "--", "kubectl-pivot", ""])));
        assert!(!is_of_shell(Some("bash"), &words(&["kubectl-pivot", "move", "--", "a"])));
        assert!(!is_of_shell(Some("bash"), &words(&["kubectl-pivot"])));
        assert!(!is_of_shell(None, &words(&["kubectl-pivot", "--"])));
    }
}
