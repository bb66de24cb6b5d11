//! The command after the one that has ended, to paste.

use cluster::KubeconfigRef;
use support::visible::shell_word;
use transfer::{Operation, Outcome, Report, Role};

use crate::called;
use crate::commands::MoveRequest;

/// Time for the controllers of the target to look at the copies.
const VERIFY_TIMEOUT: &str = "--timeout 5m";

/// Returns the command that follows a run with this report; `flags` name its clusters.
pub(super) fn after(report: &Report, flags: &str) -> Option<String> {
    let words = called::words();
    match (report.outcome, report.operation) {
        (Outcome::Planned, _) => Some(again()),
        (Outcome::Moved, Operation::Move) if !flags.is_empty() => {
            Some(format!("{words} verify {flags} {VERIFY_TIMEOUT}"))
        }
        (Outcome::Replaced, _) if !flags.is_empty() => {
            Some(format!("{words} replace --delete-old {flags}"))
        }
        (Outcome::Saved, _) => Some(format!("{words} restore {}", shell_word(&report.target))),
        _ => None,
    }
}

/// Returns the command line of this process without `--dry-run`.
fn again() -> String {
    let args = std::env::args().skip(1).filter(|arg| arg != "--dry-run");
    let args = args.map(|arg| shell_word(&arg));
    std::iter::once(called::words().to_owned()).chain(args).collect::<Vec<_>>().join(" ")
}

/// Returns the flags that name the clusters of a request.
pub(super) fn flags(request: &MoveRequest) -> String {
    let source = one(&request.source, "");
    let target = one(&request.target, "to-");
    let flags = match request.alone {
        Some(Role::Source) => source,
        Some(Role::Target) => target,
        None if request.directory.is_some() => return String::new(),
        None => source.into_iter().chain(target).collect(),
    };
    flags.join(" ")
}

fn one(cluster: &KubeconfigRef, prefix: &str) -> Vec<String> {
    let path = cluster.path.as_ref().map(|path| path.display().to_string());
    let flag = |name: &str, value: &str| format!("--{prefix}{name} {}", shell_word(value));
    let path = path.map(|path| flag("kubeconfig", &path));
    let context = cluster.context.as_ref().map(|context| flag("context", context));
    path.into_iter().chain(context).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_are_named_as_they_were_given() {
        let source = KubeconfigRef { path: Some("a b".into()), context: Some("old".to_owned()) };
        assert_eq!(one(&source, ""), ["--kubeconfig 'a b'", "--context old"]);
        let target = KubeconfigRef { path: Some("t".into()), context: None };
        assert_eq!(one(&target, "to-"), ["--to-kubeconfig t"]);
    }
}
