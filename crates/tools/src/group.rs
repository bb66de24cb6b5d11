//! Ending a program together with the programs that it has started, also when this one is killed.
//!
//! A program gets a process group of its own, so Ctrl-C on the terminal does not reach it: this
//! program decides when it ends, and how. Beside it a small shell, the guard, waits on a pipe whose
//! other end this program holds. When the pipe closes without a word, because this program is gone,
//! the guard ends the group. The kernel closes pipes of killed processes, so this holds for
//! `kill -9` too.

use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

/// `$1` is the process group. Politely first, then for good after five seconds.
const GUARD: &str = r#"
trap '' HUP INT QUIT TERM
read -r line && exit 0
kill -s TERM -- "-$1" || exit 0
turns=0
while [ "$turns" -lt 50 ] && kill -s 0 -- "-$1"; do
    sleep 0.1
    turns=$((turns + 1))
done
kill -s KILL -- "-$1"
"#;

/// A process group that does not outlive this value, nor this program.
pub(super) struct Group {
    id: Pid,
    guard: Child,
    released: bool,
}

impl Group {
    /// Guards the group whose leader has this process id.
    pub(super) fn of(leader: u32) -> io::Result<Self> {
        let id = i32::try_from(leader).ok().and_then(Pid::from_raw);
        let id = id.ok_or_else(|| io::Error::other("a process without an id"))?;
        let guard = Command::new("/bin/sh")
            .args(["-c", GUARD, "guard", &leader.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self { id, guard, released: false })
    }

    /// Asks all of the group to end.
    pub(super) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends all of the group.
    pub(super) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Failing means that nobody is there any more.
    fn signal(&self, signal: Signal) {
        let _ = kill_process_group(self.id, signal);
    }

    /// The program has ended by itself; what it has left running is its own affair.
    pub(super) fn release(mut self) {
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
