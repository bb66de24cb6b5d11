//! The result of `completion install`, for people.

use std::fmt::Write;

use crate::called;
use crate::commands::InstalledCompletion;

/// The files that were written, and what is left to do.
pub fn completion(installed: &InstalledCompletion) -> String {
    let InstalledCompletion { shell, script, completer, add, .. } = installed;
    let mut text = String::new();
    if let Some(script) = script {
        let _ = writeln!(text, "{shell:<10} reads {}", script.display());
    }
    if let Some(completer) = completer {
        let _ = writeln!(text, "kubectl    runs  {}", completer.display());
    }
    for line in add {
        let _ = writeln!(text, "\nAdd this line to the files of your shell:\n  {line}");
    }
    let loads = match *shell {
        "bash" => " It needs the package bash-completion.",
        _ => "",
    };
    let own = match *shell {
        "bash" | "zsh" => format!("source <(kubectl completion {shell})"),
        "fish" => "kubectl completion fish | source".to_owned(),
        _ => "kubectl completion powershell | Out-String | Invoke-Expression".to_owned(),
    };
    let _ = writeln!(
        text,
        "\nOpen a new shell.{loads} `kubectl pivot` is completed once kubectl is:\n  {own}"
    );
    called::in_text(&text)
}
