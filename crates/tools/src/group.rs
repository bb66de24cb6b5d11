//! Ending a program together with the programs that it has started, also when this one is killed.
//!
//! A program gets into a process group of its own, so Ctrl-C on the terminal does not reach it: this
//! program decides when it ends, and how. The leader of the group is a small shell, the guard, which
//! is there before the program and waits on a pipe whose other end this program holds. When the
//! pipe closes without a word, because this program is gone, the guard ends the group. The kernel
//! closes pipes of killed processes, so this holds for `kill -9` too, at any moment.

use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

/// `$1` is the time between asking the group to end and ending it, in tenths of a second. The guard
/// is of the group and ends with it.
const GUARD: &str = r#"
trap '' HUP INT QUIT TERM
read -r line && exit 0
turns=$1
[ "$turns" -eq 0 ] || kill -s TERM -- "-$$"
while [ "$turns" -gt 0 ]; do
    sleep 0.1
    turns=$((turns - 1))
done
kill -s KILL -- "-$$"
"#;

/// A process group that does not outlive this value, nor this program.
#[derive(Debug)]
pub struct Group {
    id: Pid,
    guard: Child,
    released: bool,
}

impl Group {
    /// Makes a group without programs. When this program is gone, theirs have so much time to end.
    ///
    /// # Errors
    /// There is no shell.
    pub fn new(grace: Duration) -> io::Result<Self> {
        let turns = grace.as_millis() / 100;
        let guard = Command::new("/bin/sh")
            .args(["-c", GUARD, "guard", &turns.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self { id: Pid::from_child(&guard), guard, released: false })
    }

    /// The id, for the `process_group` of a command.
    pub fn id(&self) -> i32 {
        self.id.as_raw_nonzero().get()
    }

    /// Asks all of the group to end.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends all of the group, the guard too.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.guard.wait();
    }

    /// Failing means that nobody is there any more.
    fn signal(&self, signal: Signal) {
        let _ = kill_process_group(self.id, signal);
    }

    /// Ends the guard alone: what runs in the group from now on is its own affair.
    pub fn release(mut self) {
        self.released = true;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(mut pipe) = self.guard.stdin.take()
            && self.released
        {
            let _ = pipe.write_all(b"ended\n");
        }
        if self.released {
            let _ = self.guard.wait();
        }
    }
}
