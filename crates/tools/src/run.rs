//! Running a program to its end, whatever it does.

use std::fs::File;
use std::future::Future;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use super::capture::{self, Captured, LIMIT, Log, Sink};
use super::command::ToolCommand;
use super::environment::withheld;
use super::error::{Ending, ToolError, ToolFailure};
use super::find::{Tool, Toolbox};
use super::group::Group;

/// The time that a program may take to end after it was asked to.
const TERMINATION_TIMEOUT: Duration = Duration::from_secs(10);
/// The time that it may take when this program is gone.
const GRACE_WITHOUT_US: Duration = Duration::from_secs(5);
/// The time that output is awaited after the end: another program may hold the pipes open for ever.
const OUTPUT_DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// The result of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Everything on standard output, if it was to be kept. Secrets are still in it.
    pub stdout: String,
    /// The last lines of standard error, without secrets.
    pub stderr_tail: Vec<String>,
    /// The time that it took.
    pub elapsed: Duration,
}

impl Tool {
    /// Runs the program. The lines that it prints go to the log and are sent as events.
    ///
    /// # Errors
    /// When it cannot be started, does not end in time, is stopped, or does not end well.
    pub async fn run(&self, command: &ToolCommand, toolbox: &Toolbox) -> Result<Output, ToolError> {
        let call = Call { tool: self, command, toolbox };
        let captured = [Mutex::default(), Mutex::default()];
        let began = Instant::now();
        let ended = call.run(&captured).await;
        let [out, err] = captured.map(|stream| stream.into_inner().unwrap_or_default());
        match ended {
            Ok(_) if out.is_too_much => Err(call.failed(Ending::TooMuchOutput(LIMIT), &err)),
            Ok(status) if status.success() => Ok(Output {
                stdout: String::from_utf8_lossy(&out.text).into_owned(),
                stderr_tail: err.tail.into(),
                elapsed: began.elapsed(),
            }),
            Ok(status) => {
                let words = if err.tail.is_empty() { &out } else { &err };
                Err(call.failed(ending(status), words))
            }
            Err(ending) => Err(call.failed(ending, &err)),
        }
    }
}

fn ending(status: ExitStatus) -> Ending {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ending::Code(code),
        (None, signal) => Ending::Signal(signal.unwrap_or_default()),
    }
}

/// One call under way.
struct Call<'a> {
    tool: &'a Tool,
    command: &'a ToolCommand,
    toolbox: &'a Toolbox,
}

impl Call<'_> {
    async fn run(&self, captured: &[Mutex<Captured>; 2]) -> Result<ExitStatus, Ending> {
        let mut arguments = self.command.arguments.iter();
        if arguments.any(|argument| self.toolbox.redactor.holds_secret(&argument.to_string_lossy()))
        {
            return Err(Ending::SecretInArguments);
        }
        let log = self.open_log().map_err(Ending::Io)?;
        log.line(&format!("$ {}", self.line()));
        let mut group = Group::new(GRACE_WITHOUT_US).map_err(Ending::Io)?;
        let mut child = self.spawn(&group).map_err(Ending::Io)?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(Ending::Io(io::Error::other("no pipes")));
        };
        let [out, err] = captured;
        let reading = async {
            let out = capture::read(stdout, self.sink(&log, self.command.keep), out);
            let err = capture::read(stderr, self.sink(&log, false), err);
            tokio::try_join!(out, err)
        };
        tokio::pin!(reading);
        let ended = self.wait(&mut child, &mut group, &mut reading).await;
        let words = match &ended {
            Ok(status) => status.to_string(),
            Err(ending) => ending.to_string(),
        };
        log.line(&format!("# {words}"));
        if ended.is_ok() {
            group.release();
        }
        ended
    }

    fn spawn(&self, group: &Group) -> io::Result<Child> {
        let mut command = Command::new(&self.tool.path);
        for name in self.tool.known.secrets().map(withheld).unwrap_or_default() {
            command.env_remove(name);
        }
        command
            .args(&self.command.arguments)
            .envs(self.tool.known.environment().iter().copied())
            .envs(self.command.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(group.id())
            .kill_on_drop(true)
            .spawn()
    }

    /// Until it has ended and everything that it printed was read, or for as long as it may take.
    async fn wait(
        &self,
        child: &mut Child,
        group: &mut Group,
        reading: &mut (impl Future<Output = io::Result<((), ())>> + Unpin),
    ) -> Result<ExitStatus, Ending> {
        let mut read = None;
        let deadline = tokio::time::sleep(self.command.timeout);
        tokio::pin!(deadline);
        let reason = loop {
            tokio::select! {
                status = child.wait() => {
                    if read.is_none() {
                        read = tokio::time::timeout(OUTPUT_DRAIN_TIMEOUT, reading).await.ok();
                    }
                    read.transpose().map_err(Ending::Io)?;
                    return status.map_err(Ending::Io);
                }
                result = &mut *reading, if read.is_none() => read = Some(result),
                () = &mut deadline => break Ending::TimedOut(self.command.timeout),
                () = self.toolbox.stop.cancelled() => break Ending::Interrupted,
            }
        };
        group.terminate();
        let end = async {
            tokio::join!(child.wait(), async {
                if read.is_none() {
                    let _ = tokio::time::timeout(OUTPUT_DRAIN_TIMEOUT, reading).await;
                }
            })
        };
        if tokio::time::timeout(TERMINATION_TIMEOUT, end).await.is_err() {
            tracing::debug!(tool = %self.tool.known, "has to be killed");
        }
        group.kill();
        let _ = child.wait().await;
        Err(reason)
    }

    fn sink<'a>(&'a self, log: &Log, keep: bool) -> Sink<'a> {
        Sink {
            // What is kept may be a kubeconfig: none of it is written down.
            log: if keep { Log::new(None) } else { log.clone() },
            redactor: &self.toolbox.redactor,
            events: &self.toolbox.events,
            keep,
            // A call whose output is wanted asks something: what it says besides is the caller's to
            // tell.
            show: !self.command.keep,
        }
    }

    fn open_log(&self) -> io::Result<Log> {
        let file = self.command.log.as_deref().map(|path| -> io::Result<File> {
            own_files::private::open_to_append(path).map_err(|error| {
                io::Error::new(error.kind(), format!("its log {}: {error}", path.display()))
            })
        });
        Ok(Log::new(file.transpose()?))
    }

    fn line(&self) -> String {
        let program = match self.tool.path.file_name() {
            Some(name) if name == self.tool.known.name() => self.tool.known.name().into(),
            _ => self.tool.path.to_string_lossy(),
        };
        self.toolbox.redactor.text(&self.command.line(&program))
    }

    fn failed(&self, ending: Ending, words: &Captured) -> ToolError {
        ToolError::Failed(Box::new(ToolFailure {
            tool: self.tool.known,
            line: self.line(),
            ending,
            stderr_tail: words.tail.iter().cloned().collect(),
            log: self.command.log.clone(),
        }))
    }
}
