//! Running the programs under test as users do: the real binaries, each run with its own HOME and
//! XDG folders and nothing else of the environment.

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::schemas;

/// No run of a program takes longer; a test that hangs fails.
const TIMEOUT: Duration = Duration::from_secs(300);

/// The unit in which Linux counts the time of a process, on all machines that run these tests.
const TICK: Duration = Duration::from_millis(10);

/// A program to run.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    home: PathBuf,
    environment: Vec<(String, String)>,
}

/// The result of a run of a program.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Exit code; `None` when killed.
    pub code: Option<i32>,
    /// Everything on stdout.
    pub stdout: String,
    /// Everything on stderr.
    pub stderr: String,
}

impl Program {
    /// A program whose HOME is `home`.
    pub fn new(path: &Path, home: &Path) -> Self {
        Self { path: path.to_owned(), home: home.to_owned(), environment: Vec::new() }
    }

    /// The real clusterctl, kept from asking the network for newer versions.
    pub fn clusterctl(path: &Path, home: &Path) -> Self {
        Self::new(path, home).env("CLUSTERCTL_DISABLE_VERSIONCHECK", "true")
    }

    /// The binary of this workspace, as cargo has built it for this test run.
    pub fn kubectl_pivot(home: &Path) -> Self {
        Self::new(kubectl_pivot(), home)
    }

    /// Path of the program.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The HOME of the program.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When it cannot be started, or does not end in five minutes.
    pub async fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Outcome {
        let output = tokio::time::timeout(TIMEOUT, self.command(args).output()).await;
        let output = output.unwrap_or_else(|_| panic!("{} has not ended", self.path.display()));
        let output = output.unwrap_or_else(|error| panic!("{}: {error}", self.path.display()));
        Outcome::from(output)
    }

    /// Starts it, to be waited for, interrupted or killed.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Running {
        let mut command = self.command(args);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let child = child.unwrap_or_else(|error| panic!("{}: {error}", self.path.display()));
        let pid = child.id().expect("has not been waited for");
        let (said, heard) = watch::channel(Vec::new());
        Running { pid, heard, output: tokio::spawn(follow(child, said)) }
    }

    fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = self.command_of(self.path.as_os_str());
        command.args(args);
        command
    }

    /// Another program in the same environment.
    pub(crate) fn command_of(&self, path: &OsStr) -> Command {
        let mut command = Command::new(path);
        command.env_clear().env("LANG", "C.UTF-8").stdin(Stdio::null()).kill_on_drop(true);
        command.env("PATH", env::var_os("PATH").unwrap_or_default()).env("HOME", &self.home);
        for (variable, folder) in [
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_STATE_HOME", "state"),
        ] {
            command.env(variable, self.home.join(folder));
        }
        command.envs(self.environment.iter().cloned());
        command
    }
}

/// A program that has been started. Dropping it kills it.
#[derive(Debug)]
pub struct Running {
    pid: u32,
    /// All of stderr so far.
    heard: watch::Receiver<Vec<u8>>,
    output: JoinHandle<io::Result<std::process::Output>>,
}

impl Running {
    /// The process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Watches what it takes of the machine, until it ends.
    pub fn watch_usage(&self) -> JoinHandle<Usage> {
        let pid = self.pid;
        tokio::spawn(async move {
            let mut usage = Usage::default();
            while let Some(now) = Usage::of(pid) {
                usage = now.max(usage);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            usage
        })
    }

    /// Waits until it has said this on stderr.
    ///
    /// # Panics
    /// When it ends without, or does not say it in five minutes.
    pub async fn until_said(&mut self, text: &str) {
        let is_said = |stderr: &Vec<u8>| String::from_utf8_lossy(stderr).contains(text);
        let said = tokio::time::timeout(TIMEOUT, self.heard.wait_for(is_said)).await;
        assert!(matches!(said, Ok(Ok(_))), "process {} has not said {text:?}", self.pid);
    }

    /// Kills it at once, whatever it is doing.
    pub fn kill(&self) {
        self.signal("KILL");
    }

    /// Sends SIGINT, as Ctrl-C does.
    pub fn interrupt(&self) {
        self.signal("INT");
    }

    /// Sends it a signal, for example `TERM`.
    ///
    /// # Panics
    /// When it is gone already.
    pub fn signal(&self, name: &str) {
        let mut kill = std::process::Command::new("kill");
        let sent = kill.args(["-s", name, &self.pid.to_string()]).status();
        let sent = sent.expect("`kill` must be installed for these tests");
        assert!(sent.success(), "process {} is gone already", self.pid);
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end in five minutes.
    pub async fn end(&mut self) -> Outcome {
        self.end_within(TIMEOUT).await
    }

    /// Waits for its end, for so long.
    ///
    /// # Panics
    /// When it does not end in this time.
    pub async fn end_within(&mut self, time: Duration) -> Outcome {
        let output = tokio::time::timeout(time, &mut self.output).await;
        let output = output.unwrap_or_else(|_| panic!("process {} has not ended", self.pid));
        Outcome::from(output.expect("waiting does not panic").expect("its output can be read"))
    }
}

/// Reads what it prints to its end.
async fn follow(
    mut child: Child,
    said: watch::Sender<Vec<u8>>,
) -> io::Result<std::process::Output> {
    let mut stderr = child.stderr.take().expect("a pipe");
    let listening = async {
        let mut part = [0; 4096];
        loop {
            let length = stderr.read(&mut part).await?;
            if length == 0 {
                return Ok(said);
            }
            said.send_modify(|all| all.extend_from_slice(&part[..length]));
        }
    };
    let (output, said) = tokio::try_join!(child.wait_with_output(), listening)?;
    let stderr = said.borrow().clone();
    Ok(std::process::Output { stderr, ..output })
}

/// A process's share of the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The most memory that was resident, in MiB.
    pub peak_mib: u64,
    /// Time of all cores.
    pub cpu: Duration,
}

impl Usage {
    /// Returns the share of a process; none once it has ended.
    fn of(pid: u32) -> Option<Self> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let peak: u64 = peak.trim().trim_end_matches("kB").trim().parse().ok()?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // Behind the name, which may have spaces: state is the first field, `utime` the twelfth.
        let fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11).take(2);
        let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
        Some(Self { peak_mib: peak / 1024, cpu: TICK * u32::try_from(ticks).ok()? })
    }

    fn max(self, other: Self) -> Self {
        Self { peak_mib: self.peak_mib.max(other.peak_mib), cpu: self.cpu.max(other.cpu) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.output.abort();
    }
}

impl From<std::process::Output> for Outcome {
    fn from(output: std::process::Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Outcome {
    /// Returns whether the exit code is 0.
    pub fn succeeded(&self) -> bool {
        self.code == Some(0)
    }

    /// Itself, when the exit code is 0.
    ///
    /// # Panics
    /// Otherwise, with everything that was printed.
    pub fn expect_success(self, what: &str) -> Self {
        assert!(self.succeeded(), "{what} failed: {self}");
        self
    }

    /// Returns whether it says this, as a result or on the way.
    pub fn says(&self, text: &str) -> bool {
        self.stdout.contains(text) || self.stderr.contains(text)
    }

    /// stdout as JSON.
    ///
    /// # Panics
    /// When it is not JSON, or no document as the reference has it.
    pub fn json(&self) -> Value {
        let document = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {self}"));
        schemas::check(&document);
        document
    }

    /// Events of `--progress json` on stderr: every line is one object, and has its time and kind.
    ///
    /// # Panics
    /// When a line is anything else.
    pub fn events(&self) -> Vec<Value> {
        let lines = self.stderr.lines().map(|line| {
            let event: Value = serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("no JSON ({error}): {line}\nof {self}"));
            assert_eq!(event["apiVersion"], "kubectl-pivot.io/v1alpha1", "{line}");
            assert_eq!(event["kind"], "ProgressEvent", "{line}");
            assert!(event["time"].as_str().is_some_and(|time| time.ends_with('Z')), "{line}");
            assert!(event["event"].is_string(), "{line}");
            schemas::check(&event);
            event
        });
        lines.collect()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code =
            self.code.map_or_else(|| "killed".to_owned(), |code| format!("exit code {code}"));
        write!(f, "{code}\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr)
    }
}

/// The `kubectl-pivot` binary next to this test executable, up to date.
///
/// Cargo hands the path of a binary only to tests of its own package, so it is built here, once for
/// each test executable: a second when nothing has changed, and never a stale binary.
fn kubectl_pivot() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(build_kubectl_pivot)
}

fn build_kubectl_pivot() -> PathBuf {
    build(&["--bin", "kubectl-pivot"]);
    profile().join("kubectl-pivot")
}

/// The folder of this test executable's profile, with libraries and binaries.
pub(crate) fn profile() -> PathBuf {
    let this = env::current_exe().expect("a running program has a path");
    let profile = this.ancestors().nth(2);
    profile.expect("cargo puts test executables in <target>/<profile>/deps").to_owned()
}

/// Builds targets of the workspace with the target folder and profile of this test executable.
/// Always out of the whole workspace, as the tests were built: cargo unites the features of all
/// members then, and takes the dependencies that are there.
pub(crate) fn build(targets: &[&str]) {
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.args(["build", "--workspace", "--quiet", "--locked"]).args(targets);
    let profile = profile();
    let target = profile.parent().expect("the profile's folder is in the target folder");
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).env("CARGO_TARGET_DIR", target);
    let name = profile.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if name != "debug" {
        cargo.args(["--profile", &name]);
    }
    // What cargo tells a test about its package: build scripts that watch it would run again.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    let output = cargo.output().expect("cargo has built this test and is still there");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the parts of this test cannot be built:\n{stderr}");
}
