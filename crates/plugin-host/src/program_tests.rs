use std::path::PathBuf;
use std::time::Instant;

use super::*;
use crate::file::{PluginFile, Sha256};
use crate::form::Form;

/// A script of the shell as a plugin.
fn script(text: &str, seconds: u64) -> Box<Invoke> {
    let bytes = format!("#!/bin/sh\n{text}\n").into_bytes();
    let path = PathBuf::from("/plugins/kubectl-pivot-plugin-potato");
    let file = PluginFile { path, hash: Sha256::of(&bytes) };
    let program = Contents { file, form: Form::Program, bytes };
    open_with(&program, Limits { time: Duration::from_secs(seconds), output_bytes: 1000 })
}

fn ask(text: &str) -> Result<String, PluginError> {
    ask_within(60, text)
}

fn ask_within(seconds: u64, text: &str) -> Result<String, PluginError> {
    let answer = script(text, seconds)("render", br#"{"name": "pivot"}"#);
    let answer = answer.map(|answer| String::from_utf8(answer).expect("it is JSON"));
    answer.map_err(|error| serde_json::from_slice(&error).expect("it is an error"))
}

fn refusal(text: &str) -> String {
    ask(text).expect_err("it misbehaves").message
}

#[test]
fn a_call_is_a_line_and_so_is_its_answer() {
    let text = r#"read -r line && printf '{"answer": %s, "new": 1}\n' "$line""#;
    let expected = r#"{"method":"render","request":{"name":"pivot"}}"#;
    assert_eq!(ask(text).as_deref(), Ok(expected));
    let error = ask(r#"echo '{"error": {"code": "unsupported", "message": "no", "hint": "why"}}'"#);
    let error = error.expect_err("it is one");
    assert_eq!((error.message.as_str(), error.hint.as_deref()), ("no", Some("why")));
}

#[test]
fn whatever_a_program_prints_is_one_clear_error() {
    for (text, expected) in [
        ("exit 0", "it ended without an answer"),
        ("echo bad >&2; exit 3", "it failed with exit code 3; the last line of its log is: bad"),
        ("kill -9 $$", "it failed with signal 9"),
        ("echo '{}'", "its line has neither an `answer` nor an `error`"),
        ("echo hello; echo '{\"answer\": 1}'", "it printed more than one line to standard output"),
        ("echo '{\"answer\": '", "its answer is not a line of JSON: EOF"),
        ("yes", "it printed more than 1000 bytes to standard output and was ended"),
    ] {
        let found = refusal(text);
        assert!(found.starts_with(expected), "{text}: {found}");
    }
    let error = ask("exit 1").expect_err("it fails");
    assert!(error.hint.is_some_and(|hint| hint.contains("KUBECTL_PIVOT_LOG=plugin=info")));
}

/// The process that it has started has the same pipes; only its end closes them.
#[test]
fn a_program_that_hangs_ends_with_all_that_it_has_started() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = folder.path().join("pid");
    let began = Instant::now();
    let text = format!("sleep 600 & echo $! >'{}'; wait", file.display());
    let error = ask_within(3, &text).expect_err("it hangs");
    assert_eq!(error.message, "it did not answer within 3 s and was ended");
    assert!(began.elapsed() < Duration::from_secs(60), "it was awaited");
    let pid = std::fs::read_to_string(&file).expect("the script has written it");
    let pid = pid.trim().parse().ok().and_then(rustix::process::Pid::from_raw);
    // What is ended is a zombie until the first process of the system has reaped it.
    for _ in 0..100 {
        if rustix::process::test_kill_process(pid.expect("a number")).is_err() || is_zombie(pid) {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("the process of the script is still there");
}

fn is_zombie(pid: Option<rustix::process::Pid>) -> bool {
    let pid = pid.map(|pid| pid.as_raw_nonzero().to_string()).unwrap_or_default();
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.contains(") Z ")
}

/// A program that has ended leaves nothing behind either.
#[test]
fn a_process_that_a_program_leaves_running_does_not_delay_its_answer() {
    let began = Instant::now();
    assert_eq!(ask(r#"sleep 600 & echo '{"answer": 1}'"#).as_deref(), Ok("1"));
    assert!(began.elapsed() < Duration::from_secs(60), "it was awaited");
}

#[test]
fn a_program_gets_what_it_needs_and_no_credentials() {
    let text = r#"printf '{"answer": "%s"}' "$(env | sed 's/=.*//' | sort | tr '\n' ' ')""#;
    let found = ask(text).expect("it answers");
    let found: Vec<_> = found.trim_matches('"').split_whitespace().collect();
    // The shell adds its own.
    let allowed = ["LANG", "LC_ALL", "OLDPWD", "PATH", "PWD", "SHLVL", "TMPDIR", "_"];
    assert!(found.iter().all(|name| allowed.contains(name)), "{found:?}");
    assert!(std::env::var_os("HOME").is_some() && !found.contains(&"HOME"));
    assert_eq!(ask(r#"printf '{"answer": "%s"}' "$(pwd)""#).as_deref(), Ok("\"/\""));
}

#[test]
#[cfg(target_os = "linux")]
fn a_program_runs_from_memory_that_nobody_can_change() {
    let bytes = std::fs::read("/bin/sh").expect("there is a shell");
    let runnable = Runnable::new(&bytes);
    let path = runnable.in_memory().expect("there is room in memory");
    assert!(std::fs::write(path.as_path(), b"another").is_err(), "it is sealed");
    let limits = Limits { time: Duration::from_secs(20), output_bytes: 1000 };
    let input = b"readlink /proc/$$/exe; exit\n".to_vec();
    let call = Call { name: "shell".to_owned(), input, limits };
    let ended = process::run(path.as_path(), &call).expect("it runs");
    let exe = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(exe.starts_with("/memfd:kubectl-pivot-plugin"), "{exe}");
}
