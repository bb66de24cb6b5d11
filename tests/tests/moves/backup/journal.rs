//! The journal: what it tells, and that nothing depends on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kubectl_pivot_tests::program::Program;
use kubectl_pivot_tests::proxied_pair::ProxiedPair;
use kubectl_pivot_tests::proxy::{Call, Fault, Rule, Side};
use kubectl_pivot_tests::suite::Suite;
use serde_json::Value;

use super::{Scenario, exit, listed, while_creating, with_scenario};

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite
        .thorough("status_tells_what_only_the_journal_knows", told)
        .thorough("progress_for_machines_tells_the_run", machines)
        .thorough("a_journal_in_any_state_stops_no_run", any_state)
        .case("a_failed_run_is_reported", failed_report)
        .thorough("a_run_that_fails_half_way_names_its_backup", unfinished)
}

/// A machine whose state folder is known.
fn machine(scenario: &Scenario) -> (Program, PathBuf) {
    let state = scenario.folder.join("state");
    let program = scenario
        .proxied_pair
        .program()
        .env("KUBECTL_PIVOT_STATE_DIR", &state.display().to_string());
    (program, state)
}

fn status_args(scenario: &Scenario) -> Vec<String> {
    let mut args = scenario.proxied_pair.args("status");
    args.extend(["-o", "json"].map(str::to_owned));
    args
}

async fn told(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let (program, state) = machine(&scenario);
        let rule = while_creating(Side::Target, 8, Fault::HoldAfter);
        scenario.kill_at(&program, scenario.proxied_pair.move_args(&scenario.tag), rule).await;
        scenario.proxied_pair.free_leases().await;
        let status = program.run(status_args(&scenario)).await.expect_success("status").json();
        let journal = &status["journal"];
        assert_eq!(journal["run"], status["clusters"][0]["run"]["id"], "{status:#}");
        let phases: Vec<(&str, &str)> = journal["phases"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|p| (text(&p["phase"]), text(&p["state"])))
            .collect();
        let wanted =
            [("pause", "done"), ("quiesce", "done"), ("backup", "done"), ("copy", "running")];
        assert_eq!(phases, wanted, "{status:#}");
        let backup = Path::new(text(&journal["backup"]));
        assert_eq!(backup.parent(), Some(&*state.join("backups")), "{status:#}");
        assert!(backup.join(transfer::MANIFEST).exists());
        // The marks are counted in the clusters, so any machine knows these.
        let elsewhere = scenario.run(status_args(&scenario)).await.expect_success("status").json();
        assert_eq!(elsewhere.get("journal"), None, "{elsewhere:#}");
        let copies = &elsewhere["clusters"][1]["run"]["progress"]["copies"];
        assert_eq!(*copies, 9, "{elsewhere:#}");
        program.run(scenario.proxied_pair.args("resume")).await.expect_success("resume");
        let [journal] = &listed(&state.join("runs"))[..] else { panic!("one run") };
        let last = fs::read_to_string(state.join("runs").join(journal)).expect("readable");
        assert!(last.lines().last().is_some_and(|line| line.contains("\"moved\"")), "{last}");
        scenario.check_nothing_left().await;
    })
    .await;
}

async fn machines(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let (program, _) = machine(&scenario);
        let mut args = scenario.proxied_pair.move_args(&scenario.tag);
        args.retain(|arg| arg != "--quiet");
        args.extend(["-o", "json", "--progress", "json"].map(str::to_owned));
        let outcome = program.run(args).await.expect_success("move");
        let (report, events) = (outcome.json(), outcome.events());
        let one = |name: &str| {
            let mut found = events.iter().filter(|event| event["event"] == name);
            let event = found.next().unwrap_or_else(|| panic!("no {name}: {outcome}"));
            assert!(found.next().is_none(), "{name} twice: {outcome}");
            event
        };
        for field in ["run", "operation", "source", "target"] {
            assert_eq!(one("begun")[field], report[field], "{field}: {outcome}");
        }
        assert_eq!(one("backedUp")["directory"], report["backup"], "{outcome}");
        assert_eq!(one("ended")["outcome"], "moved", "{outcome}");
        let finished = events.iter().filter(|event| event["event"] == "finished");
        let phases: Vec<&str> = finished.map(|event| text(&event["phase"])).collect();
        let reported = report["phases"].as_array().into_iter().flatten();
        let reported: Vec<&str> = reported.map(|phase| text(&phase["phase"])).collect();
        assert_eq!(phases, reported, "{outcome}");
        let copied = |event: &&Value| event["event"] == "progress" && event["phase"] == "copy";
        let last = events.iter().rfind(copied).unwrap_or_else(|| panic!("no progress: {outcome}"));
        assert!(last["done"].is_u64() && last["done"] == last["total"], "{outcome}");
        assert!(events.iter().all(|event| event.get("step").is_none()), "{outcome}");
        scenario.check_nothing_left().await;
    })
    .await;
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Damages of a journal.
type Fate = (&'static str, fn(&Path));

const FATES: [Fate; 6] = [
    ("gone", |path| fs::remove_file(path).expect("deleted")),
    ("torn", |path| cut(path, 7)),
    ("empty", |path| fs::write(path, "").expect("written")),
    ("noise", |path| fs::write(path, [0xff; 300]).expect("written")),
    ("a folder", |path| {
        fs::remove_file(path).expect("deleted");
        fs::create_dir(path).expect("created");
    }),
    ("a full device", |path| {
        fs::remove_file(path).expect("deleted");
        std::os::unix::fs::symlink("/dev/full", path).expect("linked");
    }),
];

fn cut(path: &Path, bytes: usize) {
    let content = fs::read(path).expect("readable");
    fs::write(path, &content[..content.len() - bytes]).expect("written");
}

async fn any_state(proxied_pair: Arc<ProxiedPair>) {
    for (name, fate) in FATES {
        with_scenario(Arc::clone(&proxied_pair), |scenario| async move {
            let (program, state) = machine(&scenario);
            let rule = while_creating(Side::Target, 8, Fault::HoldAfter);
            scenario.kill_at(&program, scenario.proxied_pair.move_args(&scenario.tag), rule).await;
            scenario.proxied_pair.free_leases().await;
            let [journal] = &listed(&state.join("runs"))[..] else { panic!("one run") };
            fate(&state.join("runs").join(journal));
            program.run(status_args(&scenario)).await.expect_success(name);
            program.run(scenario.proxied_pair.args("resume")).await.expect_success(name);
            scenario.check_nothing_left().await;
        })
        .await;
    }
}

/// A copy that nobody can create.
async fn failed_report(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let (program, state) = machine(&scenario);
        scenario.proxied_pair.traffic().rule(while_creating(Side::Target, 8, Fault::status(403)));
        let mut args = scenario.proxied_pair.move_args(&scenario.tag);
        args.extend(["-o", "json"].map(str::to_owned));
        let failed = program.run(args).await;
        assert_eq!(failed.code, Some(exit::UNDONE), "{failed}");
        let report = failed.json();
        assert_eq!(report["outcome"], "undone", "{failed}");
        let message = text(&report["error"]["message"]);
        assert!(message.starts_with("failed to create objects in the target"), "{failed}");
        assert!(!text(&report["error"]["hint"]).is_empty(), "{failed}");
        let backup = Path::new(text(&report["backup"]));
        assert!(backup.starts_with(state.join("backups")), "{failed}");
        assert!(report["phases"].as_array().is_some_and(|phases| phases.len() >= 4), "{failed}");
        let list = program.run(["restore", "--list", "-o", "json"]).await.expect_success("a list");
        assert_eq!(list.json()[0]["directory"], report["backup"], "{list}");
        scenario.check_nothing_left().await;
    })
    .await;
}

/// A source that lets nothing go, once the copies are verified.
async fn unfinished(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let (program, _) = machine(&scenario);
        let is_delete =
            |call: &Call| call.method == "DELETE" && call.side == Side::Source && !call.is_lease();
        scenario.proxied_pair.traffic().rule(Rule::when(is_delete, Fault::status(403)));
        let mut args = scenario.proxied_pair.move_args(&scenario.tag);
        args.extend(["--delete-timeout", "1", "-o", "json"].map(str::to_owned));
        let failed = program.run(args).await;
        assert_eq!(failed.code, Some(exit::UNFINISHED), "{failed}");
        let report = failed.json();
        assert_eq!(report["outcome"], "unfinished", "{failed}");
        let backup = text(&report["backup"]);
        assert!(Path::new(backup).join(transfer::MANIFEST).exists(), "{failed}");
        assert!(failed.stderr.contains(&format!("is in {backup}")), "{failed}");
        scenario.proxied_pair.traffic().begin_run();
        program.run(scenario.proxied_pair.args("resume")).await.expect_success("resume");
        scenario.check_nothing_left().await;
    })
    .await;
}
