//! A move as a person sees it, on a terminal of its own: question, bars, Ctrl-C, and `status
//! --watch` beside it.

use std::sync::Arc;

use kubectl_pivot_tests::proxied_pair::ProxiedPair;
use kubectl_pivot_tests::proxy::Fault;
use kubectl_pivot_tests::suite::Suite;
use kubectl_pivot_tests::terminal::{CTRL_C, Terminal};

use super::{Scenario, exit, while_copying, with_scenario};

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite
        .case("a_terminal_shows_a_move_and_how_ctrl_c_ends_it", ctrl_c_on_a_terminal)
        .case("completion_names_namespaces_and_clusters", completion)
        .thorough("a_terminal_without_utf8_shows_ascii", without_utf8)
}

/// Arguments of a move with a question and a display.
fn args(scenario: &Scenario) -> Vec<String> {
    let args = scenario.proxied_pair.move_args(&scenario.tag).into_iter();
    args.filter(|arg| !matches!(arg.as_str(), "--yes" | "--quiet")).collect()
}

async fn ctrl_c_on_a_terminal(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.proxied_pair.ends(&scenario.tag).await;
        let program = scenario.proxied_pair.program().env("LC_ALL", "C.UTF-8").env("TERM", "xterm");
        scenario.proxied_pair.traffic().begin_run();
        scenario.proxied_pair.traffic().rule(while_copying(8, Fault::HoldAfter));
        let mut terminal = Terminal::start(&program, args(&scenario));
        terminal.wait_for("? [y/N] ").await;
        for line in ["FROM ", "TO ", "MOVE ", "can be rolled back"] {
            assert!(terminal.seen().contains(line), "{line}: {}", terminal.seen());
        }
        terminal.press(b"y\n").await;
        scenario.proxied_pair.traffic().held().await;
        terminal.wait_for("Create objects in the target").await;
        terminal.wait_for("█").await;

        let mut watch = scenario.proxied_pair.args("status");
        watch.push("--watch".to_owned());
        let mut watcher = Terminal::start(&program, watch);
        watcher.wait_for("paused by this run").await;
        terminal.press(CTRL_C).await;
        terminal.wait_for("stopping at the next safe point").await;
        scenario.proxied_pair.traffic().release();
        let (code, screen) = terminal.end().await;
        assert_eq!(code, Some(exit::INTERRUPTED), "{screen}");
        for line in ["\u{1b}[32m✔\u{1b}[39m Check both clusters", "Pause the source", "rolled back"]
        {
            assert!(screen.contains(line), "{line}: {screen}");
        }
        let (code, screen) = watcher.end().await;
        assert_eq!(code, Some(0), "{screen}");
        assert!(screen.contains("A\r\u{1b}[2K"), "frames are drawn in place: {screen:?}");
        scenario.check_put_back(&before).await;
        scenario.check_nothing_left().await;
    })
    .await;
}

async fn without_utf8(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let program = scenario.proxied_pair.program().env("LC_ALL", "C").env("TERM", "xterm");
        let mut terminal = Terminal::start(&program, args(&scenario));
        terminal.wait_for("? [y/N] ").await;
        terminal.press(b"y\n").await;
        let (code, screen) = terminal.end().await;
        assert_eq!(code, Some(0), "{screen}");
        assert!(screen.is_ascii(), "{screen}");
        assert!(screen.contains("\u{1b}[32m+\u{1b}[39m Create objects in the target"), "{screen}");
        scenario.check_nothing_left().await;
    })
    .await;
}

async fn completion(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let candidates = async |words: &[&str]| {
            let mut line = vec!["__complete".to_owned()];
            line.extend(scenario.proxied_pair.args("move"));
            line.extend(words.iter().map(|word| (*word).to_owned()));
            let answer =
                scenario.proxied_pair.program().run(line).await.expect_success("completion");
            assert_eq!(answer.stderr, "", "{answer}");
            let lines = answer.stdout.lines().filter(|line| !line.starts_with(':'));
            let value = |line: &str| line.split('\t').next().unwrap_or_default().to_owned();
            lines.map(value).collect::<Vec<String>>()
        };
        let tag = &scenario.tag;
        assert!(candidates(&["-n", ""]).await.contains(tag));
        let near = candidates(&["-n", tag, "--cluster", ""]).await;
        assert!(!near.is_empty() && near.iter().any(|name| !name.contains('/')), "{near:?}");
        let all = candidates(&["-A", "--cluster", &format!("{tag}/")]).await;
        assert!(!all.is_empty() && all.iter().all(|name| name.starts_with(tag)), "{all:?}");
    })
    .await;
}
