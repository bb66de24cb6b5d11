//! The scripts of shells, which ask this program for candidates.

use clap::ValueEnum;
use clap_complete::env::{Bash, EnvCompleter, Fish, Powershell, Zsh};

use crate::called;
use crate::commands;

/// Variable that a script sets when it asks, to the name of its shell.
pub(super) const VARIABLE: &str = "KUBECTL_PIVOT_COMPLETE";

/// Shells with completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

impl Shell {
    /// Returns the shell that a path such as `$SHELL` names.
    pub(super) fn of_path(path: &std::path::Path) -> Option<Self> {
        let name = path.file_stem()?.to_str()?;
        Self::value_variants().iter().copied().find(|shell| shell.completer().is(name))
    }

    fn completer(self) -> &'static dyn EnvCompleter {
        match self {
            Self::Bash => &Bash,
            Self::Zsh => &Zsh,
            Self::Fish => &Fish,
            Self::Powershell => &Powershell,
        }
    }

    /// Returns the name of the shell.
    pub(super) fn name(self) -> &'static str {
        self.completer().name()
    }

    /// Returns the script that completes the command lines of a program of this name, which is
    /// found by `PATH` then as now, so an upgrade does not break it.
    pub(super) fn script(self, program: &str) -> String {
        let mut script = Vec::new();
        let written =
            self.completer().write_registration(VARIABLE, program, program, program, &mut script);
        written.expect("a vector takes all that is written");
        let script = String::from_utf8_lossy(&script).into_owned();
        match self {
            Self::Zsh => with_first_call(&script, program),
            _ => script,
        }
    }
}

/// Adds the answer to the press of the tab key for which zsh loads the script from a folder: it
/// defines the completion, and zsh asks for it only the next time.
fn with_first_call(script: &str, program: &str) -> String {
    let name = program.replace('-', "_");
    format!(
        "{script}\n[[ ${{funcstack[1]}} == _{program} ]] && _clap_dynamic_completer_{name} \"$@\" \
         || true\n"
    )
}

/// Returns the files of completion for an archive: a name below the folder of the program, and the
/// text.
pub(in crate::cli) fn files() -> Vec<(&'static str, String)> {
    let program = called::USUAL_PROGRAM;
    let script = |shell: Shell| shell.script(program);
    vec![
        ("completions/kubectl-pivot.bash", script(Shell::Bash)),
        ("completions/kubectl-pivot.fish", script(Shell::Fish)),
        ("completions/_kubectl-pivot", script(Shell::Zsh)),
        ("completions/kubectl-pivot.ps1", script(Shell::Powershell)),
        ("kubectl_complete-pivot", commands::completer_of_kubectl(program)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_asks_the_program_that_stands_in_the_path() {
        for shell in Shell::value_variants() {
            let script = shell.script("kubectl-capi_pivot");
            assert!(script.contains(VARIABLE), "{script}");
            assert!(script.contains("kubectl-capi_pivot"), "{script}");
            assert!(!script.contains("NAME") && !script.contains("/target/"), "{script}");
        }
    }

    #[test]
    fn a_shell_is_known_by_its_path() {
        assert_eq!(Shell::of_path("/usr/bin/zsh".as_ref()), Some(Shell::Zsh));
        assert_eq!(Shell::of_path("pwsh".as_ref()), Some(Shell::Powershell));
        assert_eq!(Shell::of_path("/bin/dash".as_ref()), None);
    }
}
