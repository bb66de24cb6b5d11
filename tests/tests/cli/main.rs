//! The command line as users meet it: the real binary, its help, its errors, its exit codes.

mod completion;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use kubectl_pivot::commands::exit;
use kubectl_pivot_tests::parts;
use kubectl_pivot_tests::processes::wait_for_none_below;
use kubectl_pivot_tests::program::{Outcome, Program};
use sandbox::{Part, Parts};
use support::journal::Events;
use tempfile::TempDir;

/// Every command that has a help text of its own.
const COMMANDS: [&[&str]; 39] = [
    &[],
    &["create"],
    &["abort"],
    &["diagnose"],
    &["delete"],
    &["move"],
    &["resume"],
    &["rollback"],
    &["replace"],
    &["backup"],
    &["backup", "verify"],
    &["backup", "prune"],
    &["restore"],
    &["status"],
    &["plan"],
    &["verify"],
    &["explain"],
    &["completion"],
    &["completion", "install"],
    &["version"],
    &["doctor"],
    &["demo"],
    &["sandbox"],
    &["sandbox", "up"],
    &["sandbox", "list"],
    &["sandbox", "down"],
    &["rbac"],
    &["render"],
    &["plugin"],
    &["plugin", "list"],
    &["plugin", "info"],
    &["plugin", "check"],
    &["plugin", "install"],
    &["plugin", "trust"],
    &["plugin", "remove"],
    &["plugin", "new"],
    &["plugin", "package"],
    &["plugin", "outdated"],
    &["plugin", "upgrade"],
];

/// Start of the error about an API server whose kubeconfig was read; of two, the one that fails
/// first is named.
const UNREACHABLE: &str = "cannot get /version in the ";

#[tokio::test]
async fn every_command_explains_itself_and_every_option() {
    let home = home();
    for command in COMMANDS {
        let outcome = run(home.path(), &[command, &["--help"]].concat()).await;
        expect(&outcome, exit::OK);
        let words = [&["kubectl", "pivot"], command].concat().join(" ");
        assert!(outcome.stdout.contains(&format!("\nUsage: {words} ")), "{words}: {outcome}");
        assert_eq!(outcome.stderr, "", "{words}");
        for line in outcome.stdout.lines() {
            assert!(line.chars().count() <= 100, "{words}: longer than 100: {line}");
        }
        for (flag, explanation) in options(&outcome.stdout) {
            assert!(!explanation.is_empty(), "{words}: {flag} is not explained");
        }
    }
}

#[tokio::test]
async fn the_overview_names_every_command() {
    let home = home();
    let outcome = run(home.path(), &["--help"]).await;
    // Groups of commands, each with its title beside the first line; the examples follow.
    let groups = outcome.stdout.split("\nExamples:").next().expect("there is a first part");
    let lines = groups
        .lines()
        .skip_while(|line| !line.starts_with("Move     "))
        .filter_map(|line| line.get(9..));
    let names = lines.map(|line| line.split("  ").next().unwrap_or(line));
    let listed: BTreeSet<&str> = names
        .flat_map(|names| names.split(", "))
        .map(str::trim)
        .filter(|command| !["help", ""].contains(command))
        .collect();
    let known = COMMANDS.iter().filter_map(|command| command.first().copied()).collect();
    assert_eq!(listed, known, "COMMANDS above has to name every command");
    let nothing = run(home.path(), &[]).await;
    expect(&nothing, exit::USAGE);
    assert!(nothing.stderr.contains("\nMove     plan "), "{nothing}");
}

#[tokio::test]
async fn the_version_is_the_workspaces() {
    let home = home();
    for flag in ["--version", "-V"] {
        let outcome = run(home.path(), &[flag]).await;
        expect(&outcome, exit::OK);
        assert_eq!(outcome.stdout, format!("kubectl-pivot {}\n", env!("CARGO_PKG_VERSION")));
    }
    let outcome = run(home.path(), &["version", "-o", "json"]).await;
    expect(&outcome, exit::OK);
    assert_eq!(outcome.json()["version"], env!("CARGO_PKG_VERSION"));
    let plain = run(home.path(), &["version"]).await;
    assert!(plain.stdout.starts_with(&format!("kubectl-pivot {}\n", env!("CARGO_PKG_VERSION"))));
}

#[tokio::test]
async fn explain_prints_one_rule_all_rules_and_suggests_a_name() {
    let home = home();
    let one = run(home.path(), &["explain", "providerolder"]).await;
    expect(&one, exit::OK);
    assert!(one.stdout.starts_with("ProviderOlder (error)\n\nMeaning\n"), "{one}");
    let json = run(home.path(), &["explain", "ProviderOlder", "-o", "json"]).await.json();
    assert_eq!(json["rule"], "ProviderOlder");
    assert!(json["fix"].as_str().is_some_and(|fix| fix.contains("clusterctl upgrade apply")));
    let all = run(home.path(), &["explain", "-o", "json"]).await.json();
    assert!(all.as_array().is_some_and(|rules| rules.len() > 20 && rules.contains(&json)));
    let wrong = run(home.path(), &["explain", "ProviderOld"]).await;
    expect(&wrong, exit::USAGE);
    assert!(wrong.stderr.contains("a similar value exists: 'ProviderOlder'"), "{wrong}");
}

#[tokio::test]
async fn a_wrong_command_line_is_reported_with_the_right_usage() {
    let home = home();
    for (arguments, named) in [
        (&["move", "--no-such-flag"][..], "'--no-such-flag'"),
        (&["no-such-command"], "'no-such-command'"),
        (&["move"], "--to-kubeconfig <FILE>"),
        (&["move", "--to-kubeconfig", "x", "-n", "a", "-A"], "--all-namespaces"),
        (&["move", "--to-kubeconfig", "x", "--to-directory", "y"], "--to-directory"),
        (&["move", "--to-kubeconfig", "x", "--max-in-flight", "0"], "--max-in-flight"),
        (&["move", "--to-kubeconfig", "x", "-o", "xml"], "[possible values: table, json, yaml]"),
        (&["sandbox", "up", "--clusters", "0"], "--clusters"),
        (&["create", "Not_a_name", "-i", "docker"], "`Not_a_name` is not a valid name"),
    ] {
        let outcome = run(home.path(), arguments).await;
        expect(&outcome, exit::USAGE);
        assert_eq!(outcome.stdout, "", "{arguments:?}");
        assert!(outcome.stderr.starts_with("error: "), "{outcome}");
        assert!(outcome.stderr.contains(named), "{arguments:?}: {outcome}");
        assert!(outcome.stderr.contains("--help"), "{arguments:?}: {outcome}");
    }
}

#[tokio::test]
async fn called_as_clusterctl_pivot_it_says_so() {
    let home = home();
    let link = link_as_clusterctl_plugin(home.path());
    for (arguments, usage) in [
        (&["--help"][..], "Usage: clusterctl pivot "),
        (&["move", "--help"], "Usage: clusterctl pivot move "),
    ] {
        let outcome = Program::new(&link, home.path()).run(arguments).await;
        expect(&outcome, exit::OK);
        assert!(outcome.stdout.contains(usage), "{outcome}");
    }
    let outcome = Program::new(&link, home.path()).run(["move", "--no-such-flag"]).await;
    expect(&outcome, exit::USAGE);
    assert!(outcome.stderr.contains("Usage: clusterctl pivot move"), "{outcome}");
}

#[tokio::test]
async fn clusterctl_finds_it_on_the_path() {
    let home = home();
    let link = link_as_clusterctl_plugin(home.path());
    let clusterctl = Part::Clusterctl.resolve(&parts::options(), &Events::none()).await;
    let clusterctl = clusterctl.unwrap_or_else(|error| panic!("{error}: {:?}", error.hint()));
    let folder = link.parent().expect("it is in a folder");
    let clusterctl =
        Program::clusterctl(&clusterctl, home.path()).env("PATH", &folder.display().to_string());

    let help = clusterctl.run(["pivot", "--help"]).await.expect_success("clusterctl pivot");
    assert!(help.stdout.contains("Usage: clusterctl pivot "), "{help}");
    let wrong = clusterctl.run(["pivot", "move", "--no-such-flag"]).await;
    expect(&wrong, exit::USAGE);
    assert!(wrong.stderr.contains("Usage: clusterctl pivot move"), "{wrong}");
}

#[tokio::test]
async fn a_kubeconfig_that_is_not_there_is_named() {
    let home = home();
    let dead = dead_kubeconfig(home.path(), "dead");
    let missing = home.path().join("missing.kubeconfig");
    for (source, target, cluster) in [(&missing, &dead, "source"), (&dead, &missing, "target")] {
        let outcome = move_between(Program::kubectl_pivot(home.path()), Some(source), target).await;
        expect(&outcome, exit::REFUSED);
        assert_eq!(outcome.stdout, "");
        let first = outcome.stderr.lines().next().unwrap_or_default();
        assert_eq!(first, format!("error: cannot connect to the {cluster} cluster"));
        assert!(outcome.stderr.contains(&missing.display().to_string()), "{outcome}");
        assert!(outcome.stderr.contains("\nhint: "), "{outcome}");
    }
}

#[tokio::test]
async fn an_api_server_that_does_not_answer_is_reported_at_once() {
    let home = home();
    let dead = dead_kubeconfig(home.path(), "dead");
    let outcome = move_between(Program::kubectl_pivot(home.path()), Some(&dead), &dead).await;
    expect(&outcome, exit::REFUSED);
    assert!(
        outcome.stderr.contains("error: cannot prepare the run; nothing was changed"),
        "{outcome}"
    );
    assert!(outcome.stderr.contains(UNREACHABLE), "{outcome}");
    assert!(outcome.stderr.contains("cannot connect"), "{outcome}");
}

#[tokio::test]
async fn a_kubeconfig_list_may_name_files_that_are_not_there() {
    let home = home();
    let dead = dead_kubeconfig(home.path(), "dead");
    let missing = home.path().join("missing.kubeconfig");
    let with_list = |list: &[&Path]| {
        let list = std::env::join_paths(list).expect("no colons in these paths");
        Program::kubectl_pivot(home.path()).env("KUBECONFIG", &list.to_string_lossy())
    };
    for list in [[missing.as_path(), &dead], [&dead, missing.as_path()]] {
        let outcome = move_between(with_list(&list), None, &dead).await;
        expect(&outcome, exit::REFUSED);
        assert!(outcome.stderr.contains(UNREACHABLE), "the file that is there was used: {outcome}");
    }
    let outcome = move_between(with_list(&[&missing]), None, &dead).await;
    expect(&outcome, exit::REFUSED);
    assert!(outcome.stderr.contains("no kubeconfig found: $KUBECONFIG ("), "{outcome}");
}

#[tokio::test]
async fn without_any_kubeconfig_the_places_are_named() {
    let home = home();
    let dead = dead_kubeconfig(home.path(), "dead");
    let outcome = move_between(Program::kubectl_pivot(home.path()), None, &dead).await;
    expect(&outcome, exit::REFUSED);
    let default = home.path().join(".kube/config").display().to_string();
    assert!(outcome.stderr.contains(&default), "{outcome}");
}

#[tokio::test]
async fn the_default_kubeconfig_is_the_one_in_the_home_folder() {
    let home = home();
    let dead = dead_kubeconfig(home.path(), "dead");
    fs::create_dir(home.path().join(".kube")).expect("create");
    fs::copy(&dead, home.path().join(".kube/config")).expect("copy");
    let outcome = move_between(Program::kubectl_pivot(home.path()), None, &dead).await;
    assert!(outcome.stderr.contains(UNREACHABLE), "{outcome}");
}

#[tokio::test]
async fn the_demo_moves_a_fleet_and_leaves_nothing_running() {
    let home = home();
    let cache = parts_cache().await;
    let program = Program::kubectl_pivot(home.path())
        .env("KUBECTL_PIVOT_CACHE_DIR", &cache.display().to_string());
    let outcome = program.run(["demo", "--fleet", "2", "--workers", "1"]).await;
    expect(&outcome, exit::OK);
    let told = [
        "$ kubectl --kubeconfig source.kubeconfig get clusters\nNAME ",
        "\nc0 ",
        "\nc1 ",
        "$ kubectl --kubeconfig target.kubeconfig get clusters\nNo resources found\n",
        "\nPlan: ",
        "$ kubectl --kubeconfig source.kubeconfig get clusters\nNo resources found\n",
        "$ kubectl --kubeconfig target.kubeconfig get clusters\nNAME ",
        "\nc0 ",
        "\nc1 ",
        "\nMoved 2 clusters, ",
        "What to try next:",
    ];
    let mut rest = outcome.stdout.as_str();
    for text in told {
        let position = rest.find(text).unwrap_or_else(|| panic!("{text:?} is missing: {outcome}"));
        rest = &rest[position + text.len()..];
    }
    assert!(outcome.stderr.contains("==> Verify the copies\n"), "{outcome}");
    assert_eq!(wait_for_none_below(home.path()).await, Vec::<u32>::new());
}

#[tokio::test]
async fn the_reference_lists_the_options_of_move() {
    let home = home();
    let help = run(home.path(), &["move", "--help"]).await.stdout;
    let mut real: Vec<String> = options(&help).into_iter().map(|(flag, _)| flag).collect();
    let reference = include_str!("../../../docs/reference/move.md");
    let table = reference.lines().skip_while(|line| !line.starts_with("| `kubectl pivot move` |"));
    let mut told: Vec<String> = table
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .filter_map(|line| long_flag(line.split(" | ").next()?))
        .collect();
    real.retain(|flag| flag != "--help");
    real.sort();
    told.sort();
    assert_eq!(told, real);
}

#[tokio::test]
async fn for_machines_everything_is_a_line_of_json_and_an_error_is_the_last() {
    let home = home();
    let dead = dead_kubeconfig(home.path(), "dead");
    let dead = dead.to_str().expect("UTF-8");
    for arguments in [
        &["backup", "no-folder", "--kubeconfig", dead][..],
        &["verify", "--to-kubeconfig", "no-such-file"],
        &["resume", "no-such-run"],
        &["create", "x", "-i", "no-such-plugin"],
    ] {
        let outcome = run(home.path(), &[arguments, &["--progress", "json"]].concat()).await;
        let events = outcome.events();
        let error = events.last().unwrap_or_else(|| panic!("{arguments:?}: {outcome}"));
        assert_eq!(error["event"], "error", "{outcome}");
        assert_eq!(error["exitCode"].as_i64(), outcome.code.map(i64::from), "{outcome}");
        // The same as people read.
        let plain = run(home.path(), &[arguments, &["--progress", "plain"]].concat()).await;
        let told = format!("error: {}\n", error["message"].as_str().expect("a text"));
        assert!(plain.stderr.contains(&told), "{told}{plain}");
        for cause in error["causes"].as_array().into_iter().flatten() {
            let told = format!("  caused by: {}\n", cause.as_str().expect("a text"));
            assert!(plain.stderr.contains(&told), "{told}{plain}");
        }
        let quiet = run(home.path(), &[arguments, &["--progress", "none"]].concat()).await;
        assert!(quiet.stderr.starts_with("error: "), "{quiet}");
        assert_eq!(quiet.stderr, run(home.path(), &[arguments, &["-q"]].concat()).await.stderr);
    }
    let both = run(home.path(), &["plugin", "list", "-q", "--progress", "json"]).await;
    expect(&both, exit::USAGE);
}

#[tokio::test]
async fn a_run_of_create_that_another_version_has_begun_is_reported() {
    let home = home();
    let folder = home.path().join("state/kubectl-pivot/runs/newer");
    fs::create_dir_all(&folder).expect("create folder");
    let document = "apiVersion: kubectl-pivot.io/v1alpha1\nkind: Pivot\nmetadata: {name: newer}\n\
        spec: {infrastructure: docker, isNotKnownYet: true}\n";
    fs::write(folder.join("pivot.yaml"), document).expect("write");
    let outcome = run(home.path(), &["resume", "newer"]).await;
    assert!(!outcome.succeeded(), "{outcome}");
    for told in [
        "cannot read the settings of the run `newer`",
        "isNotKnownYet",
        "hint: another version of kubectl-pivot may have written it",
    ] {
        assert!(outcome.stderr.contains(told), "{told}: {outcome}");
    }
    assert_eq!(fs::read_to_string(folder.join("pivot.yaml")).expect("is there"), document);
}

fn home() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

async fn run(home: &Path, arguments: &[&str]) -> Outcome {
    Program::kubectl_pivot(home).run(arguments).await
}

/// A dry-run, so that a test that goes wrong cannot change anything.
async fn move_between(program: Program, source: Option<&PathBuf>, target: &Path) -> Outcome {
    let mut arguments = vec!["move".into(), "--dry-run".into()];
    if let Some(source) = source {
        arguments.extend(["--kubeconfig".into(), source.as_os_str().to_owned()]);
    }
    arguments.extend(["--to-kubeconfig".into(), target.as_os_str().to_owned()]);
    program.run(arguments).await
}

/// Checks the exit code, and that neither stream has escape codes: none of them is a terminal.
fn expect(outcome: &Outcome, code: u8) {
    assert_eq!(outcome.code, Some(code.into()), "{outcome}");
    for stream in [&outcome.stdout, &outcome.stderr] {
        assert!(!stream.contains('\u{1b}'), "escape codes: {stream:?}");
    }
}

/// The long options of a help text, each with its explanation.
fn options(help: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let options = help.split("\nExamples:").next().unwrap_or(help);
    // Groups of options, each below a title that ends in a colon.
    let is_title = |line: &str| line.ends_with(':') && !line.starts_with(' ');
    for line in options.lines().skip_while(|line| !is_title(line)) {
        let text = line.trim_start();
        if is_title(line) {
            continue;
        }
        // Explanations are indented further; one may begin with a flag where it is wrapped.
        let is_flag = text.starts_with('-') && line.len() - text.len() <= 6;
        if let Some(flag) = Some(text).filter(|_| is_flag).and_then(long_flag) {
            // In a short help text the explanation is behind at least two spaces.
            let behind = text.split_once("  ").map_or("", |(_, explanation)| explanation.trim());
            found.push((flag, behind.to_owned()));
        } else if let Some((_, explanation)) = found.last_mut() {
            explanation.push_str(text);
        }
    }
    found
}

/// The first `--option` in a text.
fn long_flag(text: &str) -> Option<String> {
    let name = &text[text.find("--")? + 2..];
    let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(name.len());
    Some(format!("--{}", &name[..end]))
}

/// A symbolic link `clusterctl-pivot` to the binary, in a folder with nothing else in it.
fn link_as_clusterctl_plugin(home: &Path) -> PathBuf {
    let folder = home.join("bin");
    fs::create_dir(&folder).expect("create folder");
    let link = folder.join("clusterctl-pivot");
    symlink(Program::kubectl_pivot(home).path(), &link).expect("link");
    link
}

/// A kubeconfig for an API server that refuses connections.
fn dead_kubeconfig(home: &Path, name: &str) -> PathBuf {
    let path = home.join(format!("{name}.kubeconfig"));
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {name}\n\
         clusters: [{{name: {name}, cluster: {{server: \"https://127.0.0.1:1\"}}}}]\n\
         contexts: [{{name: {name}, context: {{cluster: {name}, user: {name}}}}}]\n\
         users: [{{name: {name}, user: {{token: none}}}}]\n"
    );
    fs::write(&path, text).expect("write");
    path
}

/// The cache of this user, which the parts come from although HOME is another one.
async fn parts_cache() -> PathBuf {
    let parts = Parts::resolve(&parts::options(), &Events::none()).await;
    let parts = parts.unwrap_or_else(|error| panic!("{error}: {:?}", error.hint()));
    parts.crds.ancestors().nth(2).expect("CRDs are in <cache>/parts/<name>").to_owned()
}
