//! Telling a process from another one that got the same process id later.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// A process as it was when it was recorded.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Recorded {
    /// Process id.
    pub(super) pid: u32,
    /// When it was started, in whatever form this operating system tells; only compared.
    pub(super) started: String,
}

struct Seen {
    started: String,
    command: String,
}

impl Recorded {
    /// Records a running process; `None` if there is none with this id.
    pub(super) fn of(pid: u32) -> Option<Self> {
        look_at(pid).map(|seen| Self { pid, started: seen.started })
    }

    /// Returns true if this very process still runs. Its command line must name something below
    /// `dir`.
    pub(super) fn is_running(&self, dir: &Path) -> bool {
        let below = format!("{}/", dir.display());
        look_at(self.pid)
            .is_some_and(|seen| seen.started == self.started && seen.command.contains(&below))
    }
}

/// Ends processes: asks, waits for up to three seconds, then kills. Returns those that would not
/// go.
pub(super) async fn end(processes: &[Recorded], dir: &Path) -> Vec<u32> {
    for (signal, patience) in [("TERM", Duration::from_secs(3)), ("KILL", Duration::from_secs(5))] {
        send(signal, &running(processes, dir));
        let deadline = Instant::now() + patience;
        while !running(processes, dir).is_empty() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
    running(processes, dir)
}

fn running(processes: &[Recorded], dir: &Path) -> Vec<u32> {
    processes.iter().filter(|process| process.is_running(dir)).map(|process| process.pid).collect()
}

/// The shell's own `kill`, as the program is missing from slim images.
fn send(signal: &str, pids: &[u32]) {
    if pids.is_empty() {
        return;
    }
    let mut kill = Command::new("/bin/sh");
    kill.args(["-c", "signal=$1; shift; kill -s \"$signal\" \"$@\"", "sandbox", signal]);
    kill.args(pids.iter().map(u32::to_string))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // A process that ended in between is no failure; one that stays is seen by the caller.
    let _ = kill.status();
}

fn look_at(pid: u32) -> Option<Seen> {
    if Path::new("/proc/self/stat").exists() { look_in_proc(pid) } else { ask_ps(pid) }
}

fn look_in_proc(pid: u32) -> Option<Seen> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    Some(Seen {
        started: start_in_stat(&stat)?.to_owned(),
        command: String::from_utf8_lossy(&command).replace('\0', " "),
    })
}

/// Field 22 of `/proc/<pid>/stat`, counted from behind the name, which may hold anything.
fn start_in_stat(stat: &str) -> Option<&str> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)
}

fn ask_ps(pid: u32) -> Option<Seen> {
    let mut ps = Command::new("ps");
    ps.args(["-ww", "-o", "lstart=", "-o", "command=", "-p", &pid.to_string()]);
    let output = ps.env("LC_ALL", "C").env("TZ", "UTC").stdin(Stdio::null()).output().ok()?;
    let line = String::from_utf8_lossy(&output.stdout).into_owned();
    parse_ps(line.trim())
}

/// `Sun Nov 22 15:37:45 2026     /path/to/etcd --name=…`
fn parse_ps(line: &str) -> Option<Seen> {
    let mut words = line.split_whitespace();
    let started: Vec<&str> = words.by_ref().take(5).collect();
    let command: Vec<&str> = words.collect();
    (!command.is_empty()).then(|| Seen { started: started.join(" "), command: command.join(" ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_time_is_found_behind_a_nasty_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 9 9";
        assert_eq!(start_in_stat(stat), Some("12345"));
    }

    #[test]
    fn ps_line() {
        let seen =
            parse_ps("Sun Nov  2 15:37:45 2026     /x/etcd --data-dir=/y/z").expect("a process");
        assert_eq!(
            (seen.started.as_str(), seen.command.as_str()),
            ("Sun Nov 2 15:37:45 2026", "/x/etcd --data-dir=/y/z")
        );
        assert!(parse_ps("").is_none());
    }

    #[test]
    fn both_ways_see_this_process() {
        let here = std::process::id();
        let recorded = Recorded::of(here).expect("this process runs");
        assert!(!recorded.is_running(Path::new("/nowhere/in/the/command/line")));
        assert_eq!(ask_ps(here).is_some(), Command::new("ps").output().is_ok());
    }

    #[tokio::test]
    async fn a_reused_process_id_is_not_ended() {
        let mut child = Command::new("sleep").arg("60").spawn().expect("sleep");
        let other = Recorded { pid: child.id(), started: "another time".into() };
        assert_eq!(end(&[other], Path::new("/")).await, Vec::<u32>::new());
        assert!(child.try_wait().expect("a child").is_none());
        child.kill().expect("kill");
        child.wait().expect("wait");
    }
}
