//! A program on a terminal of its own, with a person at the keyboard.
//!
//! `script` (bsdutils, which every Debian has) opens the pseudo-terminal, so that Ctrl-C reaches
//! the program as it does in real life: the terminal turns a byte into a signal.

use std::ffi::OsStr;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::time::timeout;

use crate::program::Program;

/// Limits every wait for a text or for the end.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Makes every terminal as large as the smallest one that all screens fit on.
const SIZE: &str = "stty rows 24 columns 80";

/// The byte that a terminal turns into SIGINT.
pub const CTRL_C: &[u8] = b"\x03";

/// A program that runs on a terminal. Dropping it kills it.
#[derive(Debug)]
pub struct Terminal {
    script: Child,
    keyboard: ChildStdin,
    screen: ChildStdout,
    seen: String,
}

impl Terminal {
    /// Starts a program on a terminal.
    ///
    /// # Panics
    /// When `script` is not installed.
    pub fn start<A: AsRef<OsStr>>(program: &Program, args: impl IntoIterator<Item = A>) -> Self {
        let words = args.into_iter().map(|arg| quoted(&arg.as_ref().to_string_lossy()));
        let words: Vec<String> =
            std::iter::once(quoted(&program.path().to_string_lossy())).chain(words).collect();
        let mut command = program.command_of(OsStr::new("script"));
        command.args([
            "--quiet",
            "--return",
            "--flush",
            "--command",
            &format!("{SIZE} && exec {}", words.join(" ")),
            "/dev/null",
        ]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut script = command.spawn().expect("`script` must be installed for these tests");
        let keyboard = script.stdin.take().expect("it is piped");
        let screen = script.stdout.take().expect("it is piped");
        Self { script, keyboard, screen, seen: String::new() }
    }

    /// Waits until a text stands on the screen.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn wait_for(&mut self, text: &str) {
        while !self.seen.contains(text) {
            assert!(self.read().await, "{text:?} never came: {}", self.seen);
        }
    }

    /// Returns everything that has stood on the screen so far.
    pub fn seen(&self) -> &str {
        &self.seen
    }

    /// Presses keys.
    ///
    /// # Panics
    /// When the terminal is gone.
    pub async fn press(&mut self, keys: &[u8]) {
        self.keyboard.write_all(keys).await.expect("the terminal is there");
        self.keyboard.flush().await.expect("the terminal is there");
    }

    /// Says yes to every question until the end. Returns the exit code and everything that stood on
    /// the screen.
    ///
    /// # Panics
    /// When the program does not end.
    pub async fn agree(mut self) -> (Option<i32>, String) {
        let mut answered = 0;
        while self.read().await {
            let asked = self.seen.matches("[y/N] ").count();
            if asked > answered {
                answered = asked;
                self.press(b"y\n").await;
            }
        }
        self.end().await
    }

    /// Waits for the end. Returns the exit code and everything that stood on the screen.
    ///
    /// # Panics
    /// When the program does not end.
    pub async fn end(mut self) -> (Option<i32>, String) {
        while self.read().await {}
        let status = timeout(TIMEOUT, self.script.wait()).await.expect("it ends");
        (status.expect("it can be waited for").code(), self.seen)
    }

    /// Reads on. Returns false at the end.
    async fn read(&mut self) -> bool {
        let mut bytes = [0; 4096];
        let count = timeout(TIMEOUT, self.screen.read(&mut bytes)).await;
        let count = count.unwrap_or_else(|_| panic!("nothing happens any more: {}", self.seen));
        let count = count.expect("the screen can be read");
        self.seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
        count > 0
    }
}

/// Quotes a word for the shell that `script` runs.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
