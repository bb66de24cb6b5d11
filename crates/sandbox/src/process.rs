//! A part of a sandbox as a process, which cannot outlive this program by accident.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use own_files::private;
use tools::{Group, withheld};

/// A running part. Dropping it kills the part and waits until it is gone; it also ends with this
/// program, however that ends.
#[derive(Debug)]
pub struct Process {
    part: Child,
    /// `None` from the moment on at which the part may live on.
    group: Option<Group>,
    log: PathBuf,
}

impl Process {
    /// Starts `program` with `args` and further variables in its environment; its output is
    /// appended to `log`.
    ///
    /// # Errors
    ///
    /// The program cannot be executed, the log cannot be written, or there is no shell to guard it.
    pub fn spawn(
        program: &Path,
        args: &[String],
        environment: &[(impl AsRef<OsStr>, impl AsRef<OsStr>)],
        log: &Path,
    ) -> io::Result<Self> {
        let output = private::open_to_append(log)?;
        // A part has nothing to finish: its data are of no use without this program.
        let group = Group::new(Duration::ZERO)?;
        let mut command = Command::new(program);
        for name in withheld(&[]) {
            command.env_remove(name);
        }
        let part = command
            .args(args)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(group.id())
            .spawn()?;
        Ok(Self { part, group: Some(group), log: log.to_owned() })
    }

    /// Process id of the part.
    pub(super) fn pid(&self) -> u32 {
        self.part.id()
    }

    /// The file that the part's output goes to.
    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    /// Returns true if the part has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.part.try_wait(), Ok(None))
    }

    /// Lets the part live on after this program has ended.
    pub(super) fn detach(mut self) -> io::Result<()> {
        if self.has_ended() {
            return Err(io::Error::other("it has ended"));
        }
        if let Some(group) = self.group.take() {
            group.release();
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(group) = &mut self.group {
            group.kill();
            // Reaps the part. An error means it is already gone.
            let _ = self.part.wait();
        }
    }
}
