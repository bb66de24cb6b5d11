//! A call of a program.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// One call of a program. Secrets go into its environment or into files, never into arguments: a
/// call with a known secret in its arguments is refused.
#[derive(Clone, Debug)]
pub struct ToolCommand {
    pub(super) arguments: Vec<OsString>,
    pub(super) environment: Vec<(String, OsString)>,
    pub(super) timeout: Duration,
    pub(super) log: Option<PathBuf>,
    pub(super) keep: bool,
}

impl ToolCommand {
    /// A call with these arguments, which may take five minutes.
    pub fn new<A: Into<OsString>>(arguments: impl IntoIterator<Item = A>) -> Self {
        Self {
            arguments: arguments.into_iter().map(Into::into).collect(),
            environment: Vec::new(),
            timeout: Duration::from_secs(300),
            log: None,
            keep: false,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds a flag and its value.
    #[must_use]
    pub fn flag(self, flag: &str, value: impl Into<OsString>) -> Self {
        self.arg(flag).arg(value)
    }

    /// Sets an environment variable. The rest of the environment is that of this process, without
    /// the secrets of others.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Gives it another time to end.
    #[must_use]
    pub fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Appends what it prints, without secrets, to this file.
    #[must_use]
    pub fn log_to(mut self, file: impl Into<PathBuf>) -> Self {
        self.log = Some(file.into());
        self
    }

    /// Returns what it prints to standard output. That may be a kubeconfig, so it is neither shown
    /// nor written to the log then.
    #[must_use]
    pub fn keep_stdout(mut self) -> Self {
        self.keep = true;
        self
    }

    /// The call as a user would type it.
    pub fn line(&self, program: &str) -> String {
        let words = self.arguments.iter().map(|argument| quote(&argument.to_string_lossy()));
        std::iter::once(quote(program)).chain(words).collect::<Vec<_>>().join(" ")
    }
}

/// A word as a shell reads it.
fn quote(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_can_be_pasted_into_a_shell() {
        let command = ToolCommand::new(["upgrade"]).flag("--set", "a=b c").arg("").arg("it's");
        assert_eq!(command.line("helm"), r"helm upgrade --set 'a=b c' '' 'it'\''s'");
    }
}
