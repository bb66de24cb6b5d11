//! A child process that cannot outlive its parent by accident.
//!
//! Each part runs below a small shell, its supervisor, whose standard input is a pipe that this
//! program holds. When the pipe closes, for whatever reason, this program is gone or wants an end:
//! the shell kills the part. A line `detach` ends this bond. The kernel closes pipes of killed
//! processes, so this holds for `kill -9` too, on every Unix and without unsafe code.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tools::withheld;

/// `$1` is the log file, the rest is the command. First line of output: the part's process id.
///
/// The pipe moves to descriptor 3, as a shell gives background jobs an empty standard input.
/// Neither the part nor anything else may hold descriptor 3 or the output pipe open.
const SUPERVISOR: &str = r#"
trap '' HUP INT QUIT
log=$1; shift
exec 3<&0
"$@" </dev/null >>"$log" 2>&1 3<&- &
part=$!
(
    exec </dev/null >/dev/null 2>&1
    read -r line <&3
    [ "$line" = detach ] || kill -KILL "$part"
) &
lifeline=$!
exec 3<&-
echo "$part"
exec >/dev/null 2>&1 </dev/null
wait "$part"
status=$?
kill "$lifeline"
exit "$status"
"#;

/// A running part. Dropping it kills the part and waits until it is gone; it also ends with this
/// program, however that ends.
#[derive(Debug)]
pub struct Process {
    supervisor: Child,
    pid: u32,
    detached: bool,
    log: PathBuf,
}

impl Process {
    /// Starts `program` with `args` and further variables in its environment; its output is
    /// appended to `log`.
    ///
    /// A program that cannot be executed is noticed by [`Process::has_ended`] soon after.
    ///
    /// # Errors
    ///
    /// There is no such program, or no shell to start it.
    pub fn spawn(
        program: &Path,
        args: &[String],
        environment: &[(impl AsRef<OsStr>, impl AsRef<OsStr>)],
        log: &Path,
    ) -> io::Result<Self> {
        fs::metadata(program)?;
        let mut supervisor = Command::new("/bin/sh");
        for name in withheld(&[]) {
            supervisor.env_remove(name);
        }
        let mut supervisor = supervisor
            .args(["-c", SUPERVISOR, "sandbox"])
            .arg(log)
            .arg(program)
            .args(args)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let pid = read_pid(&mut supervisor);
        let mut process = Self { supervisor, pid: 0, detached: false, log: log.to_owned() };
        process.pid = pid?;
        Ok(process)
    }

    /// Process id of the part itself, not of its supervisor.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// The file that the part's output goes to.
    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    /// Returns true if the part has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.supervisor.try_wait(), Ok(None))
    }

    /// Lets the part live on after this program has ended.
    pub(super) fn detach(mut self) -> io::Result<()> {
        if let Some(lifeline) = &mut self.supervisor.stdin {
            lifeline.write_all(b"detach\n")?;
        }
        self.detached = true;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        if !self.detached {
            // Reaps the supervisor, which has reaped the part. An error means it is already gone.
            let _ = self.supervisor.wait();
        }
    }
}

fn read_pid(supervisor: &mut Child) -> io::Result<u32> {
    let missing = || io::Error::other("the supervising shell gave no process id");
    let stdout = supervisor.stdout.take().ok_or_else(missing)?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    line.trim().parse().map_err(|_| missing())
}
