//! Real small scripts in the place of the programs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::journal::{Event, Events};
use tempfile::TempDir;

use super::*;

/// Tests wait for what a script does, not for time; this only ends a test that hangs.
const LONG: Duration = Duration::from_secs(60);

struct Bench {
    dir: TempDir,
    toolbox: Toolbox,
}

impl Bench {
    /// A `kind` that tells a good version, and runs `body` otherwise.
    fn with(body: &str) -> Self {
        Self::raw(&format!("[ \"$1\" = version ] && {{ echo kind v0.33.0; exit; }}\n{body}"))
    }

    fn raw(script: &str) -> Self {
        let dir = tempfile::tempdir().expect("temp dir");
        let mut bench = Self { dir, toolbox: Toolbox::default() };
        let path = bench.path("kind");
        write_program(&path, script);
        bench.toolbox.given.insert(KnownTool::Kind, path);
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn command(&self) -> ToolCommand {
        ToolCommand::new(["create", "cluster"]).log_to(self.path("log")).within(LONG)
    }

    async fn run(&self, command: ToolCommand) -> Result<Output, ToolError> {
        let tool = self.toolbox.find(KnownTool::Kind).await.expect("it is there");
        tool.run(&command, &self.toolbox).await
    }

    async fn fail(&self, command: ToolCommand) -> ToolFailure {
        match self.run(command).await {
            Err(ToolError::Failed(failure)) => *failure,
            other => panic!("should have failed: {other:?}"),
        }
    }
}

/// A script may be busy for a moment because a forked child of another test still has it open.
fn write_program(path: &Path, script: &str) {
    fs::write(path, format!("#!/bin/sh\n{script}\n")).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("made executable");
    while std::process::Command::new(path)
        .arg("version")
        .output()
        .is_err_and(|error| error.kind() == std::io::ErrorKind::ExecutableFileBusy)
    {
        std::thread::yield_now();
    }
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG, wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// A zombie is not: where process 1 collects nobody, as in many containers, all that end stay one.
fn is_running(pid: &str) -> bool {
    let ps = std::process::Command::new("ps").args(["-o", "stat=", "-p", pid.trim()]).output();
    let state = ps.expect("`ps` is there").stdout;
    state.trim_ascii().first().is_some_and(|state| *state != b'Z')
}

#[tokio::test]
async fn a_good_call_is_logged_and_shown() {
    let shown = Arc::new(Mutex::new(Vec::new()));
    let mut bench = Bench::with("echo to stdout; echo 'to stderr' >&2");
    let seen = Arc::clone(&shown);
    bench.toolbox.events = Events::to(move |event| {
        if let Event::Doing(line) = event {
            seen.lock().expect("not poisoned").push(line);
        }
    });
    let output = bench.run(bench.command()).await.expect("ends well");
    assert_eq!(output.stdout, "");
    assert_eq!(output.stderr_tail, ["to stderr"]);
    let log = bench.log();
    for line in ["$ kind create cluster", "to stdout", "to stderr", "# exit status: 0"] {
        assert!(log.lines().any(|found| found == line), "{line} is not in {log}");
    }
    let mode = fs::metadata(bench.path("log")).expect("is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let shown = shown.lock().expect("not poisoned");
    assert!(shown.iter().any(|line| line == "to stdout"), "{shown:?}");
}

#[tokio::test]
async fn kept_output_is_neither_logged_nor_shown() {
    let mut bench = Bench::with("echo 'client-key-data: S0VZS0VZ'");
    bench.toolbox.events = Events::to(|event| panic!("{event:?}"));
    let output = bench.run(bench.command().keep_stdout()).await.expect("ends well");
    assert_eq!(output.stdout, "client-key-data: S0VZS0VZ\n");
    assert!(!bench.log().contains("S0VZ"), "{}", bench.log());
}

#[tokio::test]
async fn a_missing_program_is_reported_with_its_home_page() {
    let mut toolbox = Toolbox::default();
    let missing = |toolbox: &Toolbox| {
        let toolbox = toolbox.clone();
        async move { toolbox.find(KnownTool::Kind).await.expect_err("is missing") }
    };
    toolbox.given.insert(KnownTool::Kind, "no-such-kind".into());
    let error = missing(&toolbox).await;
    assert_eq!(error.to_string(), "kind was not found: no-such-kind is in no folder of PATH");
    assert!(error.hint().contains("https://kind.sigs.k8s.io/"), "{}", error.hint());
    assert!(error.hint().contains("--kind or KUBECTL_PIVOT_KIND"), "{}", error.hint());
    toolbox.given.insert(KnownTool::Kind, "/no/such/kind".into());
    let error = missing(&toolbox).await;
    assert_eq!(error.to_string(), "kind was not found: /no/such/kind does not exist");
    toolbox.given.insert(KnownTool::Kind, "/etc/passwd".into());
    let error = missing(&toolbox).await;
    assert_eq!(error.to_string(), "kind was not found: /etc/passwd cannot be executed");
}

#[tokio::test]
async fn a_program_that_is_too_old_is_refused_with_both_versions() {
    let bench = Bench::raw("echo 'kind v0.11.1 go1.16 linux/amd64'");
    let error = bench.toolbox.find(KnownTool::Kind).await.expect_err("is too old");
    let text = error.to_string();
    assert!(text.ends_with("is version 0.11.1, and 0.20.0 or newer is needed"), "{text}");
    assert!(error.hint().contains("install a newer one"), "{}", error.hint());
}

#[tokio::test]
async fn a_program_that_prints_rubbish_is_another_program() {
    let bench = Bench::raw(r"printf '\033[1mhello\377\000 there\n'");
    let error = bench.toolbox.find(KnownTool::Kind).await.expect_err("is no kind");
    let text = error.to_string();
    assert!(text.contains("prints no version, but: "), "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains('\0'), "{text:?}");
    let bench = Bench::raw("");
    let error = bench.toolbox.find(KnownTool::Kind).await.expect_err("is no kind");
    assert!(error.to_string().ends_with("prints no version, but: nothing"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_program_is_reported() {
    let mut bench = Bench::with("");
    let path = bench.path("binary");
    fs::write(&path, [0_u8, 159, 146, 150]).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("made executable");
    bench.toolbox.given.insert(KnownTool::Kind, path);
    let error = bench.toolbox.find(KnownTool::Kind).await.expect_err("is no program");
    assert!(error.to_string().contains("could not be run"), "{error}");
}

#[tokio::test]
async fn a_failure_has_the_exit_code_and_the_last_words() {
    let bench = Bench::with("for i in $(seq 1 40); do echo line $i >&2; done; exit 3");
    let failure = bench.fail(bench.command()).await;
    assert!(matches!(failure.ending, Ending::Code(3)), "{failure}");
    assert_eq!(failure.stderr_tail.len(), 12);
    let text = failure.to_string();
    assert!(text.starts_with("`kind create cluster` failed with exit code 3; "), "{text}");
    assert!(text.ends_with("\n  | line 40"), "{text}");
    assert!(bench.log().contains("line 1\n"));
    let hint = ToolError::Failed(Box::new(failure)).hint();
    assert!(hint.contains(&bench.path("log").display().to_string()), "{hint}");
}

#[tokio::test]
async fn a_failure_on_standard_output_is_reported_too() {
    let bench = Bench::with("echo 'Error: no space left'; exit 1");
    assert_eq!(bench.fail(bench.command()).await.stderr_tail, ["Error: no space left"]);
}

#[tokio::test]
async fn a_death_by_signal_is_no_exit_code() {
    let bench = Bench::with("kill -s SEGV $$");
    let failure = bench.fail(bench.command()).await;
    assert!(matches!(failure.ending, Ending::Signal(11)), "{failure}");
}

#[tokio::test]
async fn a_program_that_hangs_is_ended_with_what_it_has_started() {
    let bench = Bench::with("sleep 1000 & echo $! > \"$(dirname \"$0\")/pid\"; wait");
    let failure = bench.fail(bench.command().within(Duration::from_secs(1))).await;
    assert!(matches!(failure.ending, Ending::TimedOut(_)), "{failure}");
    let pid = fs::read_to_string(bench.path("pid")).expect("it has come so far");
    until("the child of the program is gone", || !is_running(&pid)).await;
}

#[tokio::test]
async fn a_program_that_will_not_end_is_killed() {
    let bench =
        Bench::with("trap '' TERM; echo $$ > \"$(dirname \"$0\")/pid\"\nwhile :; do sleep 1; done");
    let failure = bench.fail(bench.command().within(Duration::from_secs(1))).await;
    assert!(matches!(failure.ending, Ending::TimedOut(_)), "{failure}");
    let pid = fs::read_to_string(bench.path("pid")).expect("it has come so far");
    until("the program is gone", || !is_running(&pid)).await;
}

#[tokio::test]
async fn a_stop_lets_the_program_clean_up() {
    let bench = Bench::with(
        "trap 'echo cleaned up; exit 1' TERM; touch \"$(dirname \"$0\")/here\"\n\
         while :; do sleep 0.05; done",
    );
    let stop = bench.toolbox.stop.clone();
    let here = bench.path("here");
    let user = async {
        until("the program runs", || here.exists()).await;
        stop.cancel();
    };
    let (failure, ()) = tokio::join!(bench.fail(bench.command()), user);
    assert!(matches!(failure.ending, Ending::Interrupted), "{failure}");
    assert!(bench.log().contains("cleaned up"), "{}", bench.log());
    assert!(ToolError::Failed(Box::new(failure)).is_interruption());
}

#[tokio::test]
async fn a_call_that_is_dropped_takes_everything_with_it() {
    let bench = Bench::with("sleep 1000 & echo $! > \"$(dirname \"$0\")/pid\"; wait");
    let pid = bench.path("pid");
    let has_pid = || fs::read_to_string(&pid).is_ok_and(|pid| pid.ends_with('\n'));
    tokio::select! {
        result = bench.run(bench.command()) => panic!("ended: {result:?}"),
        () = until("the program runs", has_pid) => {}
    }
    let pid = fs::read_to_string(&pid).expect("just seen");
    until("the child of the program is gone", || !is_running(&pid)).await;
}

#[tokio::test]
async fn huge_output_is_bounded() {
    let noise = "head -c 20000000 /dev/zero | tr '\\0' x; echo; echo end";
    let bench = Bench::with(noise);
    bench.run(bench.command()).await.expect("what is not kept may be of any size");
    assert!(bench.log().len() < 10_000, "{}", bench.log().len());
    assert!(bench.log().contains("\nend\n"));
    let failure = bench.fail(bench.command().keep_stdout()).await;
    assert!(matches!(failure.ending, Ending::TooMuchOutput(_)), "{failure}");
}

#[tokio::test]
async fn a_grandchild_with_the_pipes_does_not_hold_up_the_end() {
    let bench = Bench::with("sleep 1000 & echo $! > \"$(dirname \"$0\")/pid\"; echo done");
    bench.run(bench.command()).await.expect("the program itself has ended");
    let pid = fs::read_to_string(bench.path("pid")).expect("it has come so far");
    assert!(is_running(&pid), "what it has left running on purpose is left alone");
    let kill = std::process::Command::new("kill").arg(pid.trim()).status();
    assert!(kill.is_ok_and(|status| status.success()));
}

#[tokio::test]
async fn secrets_are_in_neither_log_nor_error_nor_arguments() {
    let mut bench = Bench::with("echo \"login with $PIVOT_TEST_SECRET\" >&2; exit 1");
    bench.toolbox.redactor.add("hunter2-hunter2");
    let command = bench.command().env("PIVOT_TEST_SECRET", "hunter2-hunter2");
    let failure = bench.fail(command).await;
    assert_eq!(failure.stderr_tail, ["login with [redacted]"]);
    assert!(!bench.log().contains("hunter2"), "{}", bench.log());
    let failure = bench.fail(bench.command().flag("--token", "hunter2-hunter2")).await;
    assert!(matches!(failure.ending, Ending::SecretInArguments), "{failure}");
    assert!(!failure.to_string().contains("hunter2"), "{failure}");
}

#[tokio::test]
async fn a_log_that_cannot_be_written_is_reported_before_anything_runs() {
    let bench = Bench::with("touch \"$(dirname \"$0\")/ran\"");
    let failure = bench.fail(bench.command().log_to("/no/such/folder/log")).await;
    assert!(failure.to_string().contains("its log /no/such/folder/log"), "{failure}");
    assert!(!bench.path("ran").exists());
}
