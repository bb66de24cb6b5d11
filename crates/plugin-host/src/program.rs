//! A plugin that is a program: the methods and messages of a library, as lines of JSON.
//!
//! Each call is a process of its own: a program that leaks, hangs or crashes costs one answer.

use std::io::ErrorKind;
use std::process::ExitStatus;
use std::thread;
use std::time::Duration;

use kubectl_pivot_plugin_api::{PluginError, ProgramCall, ProgramReply};
use serde_json::Value;

use super::call::Invoke;
use super::file::Contents;
use super::process::{self, Call, Ended, Limits, RunError};
use super::runnable::Runnable;

/// Plugins compute what they answer, in milliseconds; the rest is for a machine that swaps. The
/// objects of a cluster are some KiB.
const LIMITS: Limits = Limits { time: Duration::from_secs(30), output_bytes: 8 << 20 };

/// Attempts to start a copy that another thread's process, just forked, still has open for writing.
const BUSY_ATTEMPTS: u32 = 10;
const BUSY_INTERVAL: Duration = Duration::from_millis(20);

const HINT: &str =
    "read its log with `KUBECTL_PIVOT_LOG=plugin=info` in the environment, and tell its author";

/// Prepares a program to be called. Nothing runs yet.
pub(super) fn open(program: &Contents) -> Box<Invoke> {
    open_with(program, LIMITS)
}

fn open_with(program: &Contents, limits: Limits) -> Box<Invoke> {
    let name = program.file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let runnable = Runnable::new(&program.bytes);
    Box::new(move |method, request| {
        let input = encode(method, request).map_err(|error| refusal(&broken(error.to_string())))?;
        let call = Call { name: name.clone(), input, limits };
        answer(&runnable, &call).map_err(|error| refusal(&error))
    })
}

fn answer(runnable: &Runnable, call: &Call) -> Result<Vec<u8>, PluginError> {
    let ended = run(runnable, call).map_err(|error| broken(error.to_string()))?;
    let reply = decode(&ended).map_err(broken)?;
    match (reply.error, reply.answer) {
        (Some(error), _) => Err(error),
        (None, Some(answer)) => {
            serde_json::to_vec(&answer).map_err(|error| broken(error.to_string()))
        }
        (None, None) => Err(broken("its line has neither an `answer` nor an `error`".to_owned())),
    }
}

/// The program does not do what every plugin must.
fn broken(message: String) -> PluginError {
    PluginError::internal(message).with_hint(HINT)
}

fn refusal(error: &PluginError) -> Vec<u8> {
    serde_json::to_vec(error).unwrap_or_default()
}

/// Runs it from memory, or from a copy where the system does not let memory files run.
fn run(runnable: &Runnable, call: &Call) -> Result<Ended, RunError> {
    if let Some(path) = runnable.in_memory() {
        match process::run(path.as_path(), call) {
            Err(RunError::Start(error)) if error.kind() == ErrorKind::PermissionDenied => {}
            ended => return ended,
        }
    }
    let path = runnable.copy().map_err(RunError::Start)?;
    let mut attempts = 1;
    loop {
        match process::run(path.as_path(), call) {
            Err(RunError::Start(error))
                if error.kind() == ErrorKind::ExecutableFileBusy && attempts < BUSY_ATTEMPTS =>
            {
                attempts += 1;
                thread::sleep(BUSY_INTERVAL);
            }
            ended => return ended,
        }
    }
}

fn encode(method: &str, request: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let request: Value = serde_json::from_slice(request)?;
    let mut line = serde_json::to_vec(&ProgramCall { method: method.to_owned(), request })?;
    line.push(b'\n');
    Ok(line)
}

fn decode(ended: &Ended) -> Result<ProgramReply, String> {
    let text = ended.stdout.trim_ascii_end();
    if !ended.status.success() {
        return Err(with_last_words(&format!("it failed with {}", words(ended.status)), ended));
    }
    if text.is_empty() {
        return Err(with_last_words("it ended without an answer", ended));
    }
    if text.contains(&b'\n') {
        return Err("it printed more than one line to standard output, which is for its answer; \
                    its log goes to standard error"
            .to_owned());
    }
    serde_json::from_slice(text)
        .map_err(|error| format!("its answer is not a line of JSON: {error}"))
}

fn words(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;

    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, signal) => format!("signal {}", signal.unwrap_or_default()),
    }
}

fn with_last_words(what: &str, ended: &Ended) -> String {
    match &ended.last_words {
        Some(line) => format!("{what}; the last line of its log is: {line}"),
        None => what.to_owned(),
    }
}

#[cfg(test)]
#[path = "program_tests.rs"]
mod tests;
