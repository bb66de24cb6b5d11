//! Running a program to its end, within bounds: time, output, environment.

use std::io::{self, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::stderr;

/// The environment variables that a program gets: where its interpreter is, and how it writes text
/// and temporary files. Credentials, kubeconfigs and proxies are none of its business.
const ENVIRONMENT: [&str; 4] = ["PATH", "LANG", "LC_ALL", "TMPDIR"];

/// Limit of the wait for output after the end of the process group. Only a process that has left
/// the group can hold a pipe open.
const OUTPUT_TIMEOUT: Duration = Duration::from_secs(2);

/// The bounds of one call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// From the start to the end of the program.
    pub(super) time: Duration,
    /// Bytes of its standard output.
    pub(super) output_bytes: usize,
}

/// One run of a program.
pub(super) struct Call {
    /// The name that it sees and under which its log is shown.
    pub(super) name: String,
    /// All of its standard input.
    pub(super) input: Vec<u8>,
    pub(super) limits: Limits,
}

/// A program that has ended by itself.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) stdout: Vec<u8>,
    /// The last line of its log, for people.
    pub(super) last_words: Option<String>,
}

/// Reasons why a program did not end by itself.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    #[error("it cannot be started: {0}")]
    Start(io::Error),
    #[error("it cannot be observed: {0}")]
    Io(#[from] io::Error),
    #[error("it did not answer within {} s and was ended", .0.as_secs_f32())]
    TimedOut(Duration),
    #[error("it printed more than {0} bytes to standard output and was ended")]
    TooMuchOutput(usize),
}

/// Reports of the threads.
enum Event {
    /// The program has ended; it is not reaped, so its id is still its own.
    Exited(io::Result<()>),
    /// The standard output has ended, or was too long.
    Stdout(Vec<u8>),
}

/// Runs a program that gets its input and nothing else, and ends it with all processes of its
/// group.
///
/// # Errors
/// It cannot be started, or exceeds a bound.
pub(super) fn run(path: &Path, call: &Call) -> Result<Ended, RunError> {
    let mut child = spawn(path, &call.name).map_err(RunError::Start)?;
    let group = Pid::from_child(&child);
    bound_processor_time(group, call.limits.time);
    let (events, reported) = mpsc::channel();
    let last_words = talk(&mut child, call, &events);
    thread::spawn(move || {
        let ended = waitid(WaitId::Pid(group), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        let _ = events.send(Event::Exited(ended.map(drop).map_err(Into::into)));
    });
    let observed = observe(&reported, call.limits);
    // Before it is reaped: afterwards the id may be that of another process.
    let _ = kill_process_group(group, Signal::KILL);
    // It may have left its group.
    let _ = child.kill();
    let status = child.wait()?;
    let stdout = match observed? {
        Some(stdout) => stdout,
        None => rest(&reported)?,
    };
    if stdout.len() > call.limits.output_bytes {
        return Err(RunError::TooMuchOutput(call.limits.output_bytes));
    }
    let last_words = last_words.recv_timeout(OUTPUT_TIMEOUT).ok().flatten();
    Ok(Ended { status, stdout, last_words })
}

fn spawn(path: &Path, name: &str) -> io::Result<Child> {
    let kept = ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    Command::new(path)
        .arg0(name)
        .env_clear()
        .envs(kept)
        // No relative path means anything to it.
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
}

/// Starts one thread for each pipe, since a program may fill one before it reads the other. The
/// last words of its log come when that ends.
fn talk(child: &mut Child, call: &Call, events: &Sender<Event>) -> Receiver<Option<String>> {
    let (said, last_words) = mpsc::channel();
    if let Some(mut stdin) = child.stdin.take() {
        let input = call.input.clone();
        // It need not read its input.
        thread::spawn(move || drop(stdin.write_all(&input)));
    }
    if let Some(stdout) = child.stdout.take() {
        let (events, limit) = (events.clone(), call.limits.output_bytes as u64 + 1);
        thread::spawn(move || {
            let mut text = Vec::new();
            let _ = stdout.take(limit).read_to_end(&mut text);
            let _ = events.send(Event::Stdout(text));
        });
    }
    if let Some(stderr) = child.stderr.take() {
        let name = call.name.clone();
        thread::spawn(move || drop(said.send(stderr::forward(stderr, &name))));
    }
    last_words
}

/// Waits until the program has ended or exceeds a bound. Its output, if that has ended before.
fn observe(reported: &Receiver<Event>, limits: Limits) -> Result<Option<Vec<u8>>, RunError> {
    let deadline = Instant::now() + limits.time;
    let mut stdout = None;
    loop {
        match reported.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Event::Exited(ended)) => return Ok(ended.map(|()| stdout)?),
            Ok(Event::Stdout(text)) if text.len() > limits.output_bytes => return Ok(Some(text)),
            Ok(Event::Stdout(text)) => stdout = Some(text),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                return Err(RunError::TimedOut(limits.time));
            }
        }
    }
}

/// The output of a program that has ended.
fn rest(reported: &Receiver<Event>) -> Result<Vec<u8>, RunError> {
    loop {
        match reported.recv_timeout(OUTPUT_TIMEOUT) {
            Ok(Event::Stdout(text)) => return Ok(text),
            Ok(Event::Exited(_)) => {}
            Err(_) => return Err(RunError::TimedOut(OUTPUT_TIMEOUT)),
        }
    }
}

/// When this process is killed nobody is left to end an endless loop but the kernel.
#[cfg(target_os = "linux")]
fn bound_processor_time(pid: Pid, time: Duration) {
    use rustix::process::{Resource, Rlimit, prlimit};

    let seconds = Some(time.as_secs() + 5);
    let _ = prlimit(Some(pid), Resource::Cpu, Rlimit { current: seconds, maximum: seconds });
}

#[cfg(not(target_os = "linux"))]
fn bound_processor_time(_: Pid, _: Duration) {}
