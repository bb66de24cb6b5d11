//! The texts, against the code and the scripts.

#[path = "documents/formats.rs"]
mod formats;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use capi::names;
use kubectl_pivot::cli;
use kubectl_pivot::commands::{CHECKS, exit, explanations};
use kubectl_pivot_tests::console;
use serde_json::Value;
use tools::KnownTool;
use workflow::Step;

const README: &str = include_str!("../../README.md");
const REPORT: &str = include_str!("../../docs/reference/report.md");
const EXIT_CODE_PAGE: &str = include_str!("../../docs/reference/exit-codes.md");
const ANNOTATIONS: &str = include_str!("../../docs/reference/annotations.md");
const DOCTOR: &str = include_str!("../../docs/reference/doctor.md");
const CI: &str = include_str!("../../.ci/run");
const JUSTFILE: &str = include_str!("../../justfile");
const EXIT_CODES: &str = include_str!("../../kubectl-pivot/src/commands/error.rs");
const CREATE: &str = include_str!("../../docs/reference/create.md");

#[test]
fn the_exit_codes_of_the_reference_are_those_of_the_program() {
    let table = rows(EXIT_CODE_PAGE, "| code | meaning |");
    let told: Vec<(u8, &str)> =
        table.iter().map(|cells| (cells[0].parse().expect("a number"), cells[1])).collect();
    assert_eq!(told, exit_codes());
    let known = [exit::OK, exit::REFUSED, exit::UNDONE, exit::UNFINISHED, exit::INTERRUPTED];
    assert!(known.iter().all(|code| told.iter().any(|(number, _)| number == code)), "{told:?}");
}

/// The constants with their documentation, as they stand in the code.
fn exit_codes() -> Vec<(u8, &'static str)> {
    let lines: Vec<&str> = EXIT_CODES.lines().map(str::trim).collect();
    lines
        .windows(2)
        .filter_map(|pair| {
            let (_, value) = pair[1].strip_prefix("pub const ")?.split_once(": u8 = ")?;
            let number = value.trim_end_matches(';').parse().expect("a number");
            Some((number, pair[0].strip_prefix("/// ").expect("documented")))
        })
        .collect()
}

#[test]
fn the_two_commands_of_the_readme_are_those_of_ci() {
    let section = README.split("\n## ").find(|part| part.starts_with("Two commands\n"));
    let section = section.expect("the section is there");
    let commands: Vec<&str> = section.lines().filter(|line| line.starts_with("cargo ")).collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    assert_eq!(step("demo"), commands[0]);
    assert_eq!(step("test"), commands[1]);
    assert!(
        CI.contains("\nci_steps=(tools fmt style clippy doc schemas go deny test)\n"),
        "CI runs the tests"
    );
}

/// The only line of a step of `.ci/run`.
fn step(name: &str) -> &'static str {
    let body = CI.split(&format!("\nstep_{name}() {{\n")).nth(1).expect("the step is there");
    let lines: Vec<&str> = body.lines().take_while(|line| *line != "}").map(str::trim).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines[0]
}

#[test]
fn the_justfile_holds_no_commands_of_its_own() {
    let recipes = JUSTFILE.lines().filter(|line| line.starts_with([' ', '\t']));
    for line in recipes {
        let mut words = line.split_whitespace();
        assert_eq!(words.next(), Some(".ci/run"), "{line}");
        for step in words.take_while(|word| !word.starts_with("{{")) {
            assert!(CI.contains(&format!("\nstep_{step}() {{")), "{step} is no step of .ci/run");
        }
    }
}

#[test]
fn every_annotation_that_users_can_meet_is_explained() {
    for annotation in [
        names::PAUSED_BY_ANNOTATION,
        names::RUN_ANNOTATION,
        names::FINALIZERS_ANNOTATION,
        names::USER_PAUSED_ANNOTATION,
        names::DELETE_FOR_MOVE_ANNOTATION,
        names::PAUSED_ANNOTATION,
    ] {
        assert!(ANNOTATIONS.contains(&format!("| `{annotation}` |")), "{annotation}");
    }
}

#[test]
fn every_rule_of_preflight_is_explained() {
    let told: BTreeSet<String> =
        explanations().iter().map(|explanation| explanation.rule.to_owned()).collect();
    assert_eq!(told.len(), explanations().len(), "a rule is explained twice");
    let files = rust_files(&root().join("crates/transfer/src"));
    let code: Vec<String> =
        files.iter().map(|file| fs::read_to_string(file).expect("readable")).collect();
    for call in [
        ".error(",
        ".object_error(",
        ".group_error(",
        ".warning(",
        ".object_warning(",
        ".group_warning(",
    ] {
        let arguments = code.iter().flat_map(|text| text.split(call).skip(1));
        let texts = arguments.filter_map(|text| text.trim_start().strip_prefix('"'));
        for rule in texts.filter_map(|text| text.split('"').next()).filter(is_rule) {
            assert!(told.contains(rule), "{rule} is not explained");
        }
    }
    for rule in told {
        let literal = format!("\"{rule}\"");
        assert!(
            code.iter().any(|text| text.contains(&literal)),
            "{rule} is explained and not used"
        );
    }
}

#[test]
fn every_check_of_verify_is_explained() {
    let code = include_str!("../../crates/transfer/src/acceptance.rs");
    let code = code.split("#[cfg(test)]").next().expect("there is code before the tests");
    let calls = ["Check::new(", "every("].into_iter().flat_map(|call| code.split(call).skip(1));
    let texts = calls.filter_map(|text| text.trim_start().strip_prefix('"'));
    let used: BTreeSet<String> = texts
        .filter_map(|text| text.split('"').next())
        .filter(is_rule)
        .map(str::to_owned)
        .collect();
    assert_eq!(first_column(&rows(REPORT, "| check |")), used);
}

#[test]
fn every_check_of_doctor_is_explained() {
    let told: Vec<(&str, &str)> = rows(DOCTOR, "| check | looks whether |")
        .iter()
        .map(|cells| (cells[0].trim_matches('`'), cells[1]))
        .collect();
    assert_eq!(told, CHECKS);
}

#[test]
fn the_oldest_versions_of_programs_are_those_of_the_program() {
    let told: Vec<(&str, String, &str)> = rows(DOCTOR, "| program | at least |")
        .iter()
        .map(|cells| (cells[0].trim_matches('`'), cells[1].to_owned(), cells[2].trim_matches('`')))
        .collect();
    let known =
        KnownTool::ALL.map(|tool| (tool.name(), tool.minimum().to_string(), tool.variable()));
    assert_eq!(told, known);
}

#[test]
fn the_steps_of_create_are_explained_with_what_they_need() {
    let told: Vec<(&str, String)> = rows(CREATE, "| step | needs | ensures |")
        .iter()
        .map(|cells| (cells[0].trim_matches('`'), cells[1].replace('`', "")))
        .collect();
    let known = Step::ALL.map(|step| {
        let needs: Vec<_> = step.needs().iter().map(|needed| needed.name()).collect();
        let needs = if needs.is_empty() { "nothing".to_owned() } else { needs.join(", ") };
        (step.name(), needs)
    });
    assert_eq!(told, known);
}

/// The name of a rule, and not a sentence.
fn is_rule(text: &&str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.chars().all(|c| c.is_ascii_alphanumeric())
}

#[test]
fn links_between_the_texts_lead_somewhere() {
    for path in texts() {
        let content = fs::read_to_string(&path).expect("readable");
        for link in content.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("https://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let folder = path.parent().expect("in a folder");
            let target = if file.is_empty() { path.clone() } else { folder.join(file) };
            assert!(target.exists(), "{}: {link}", path.display());
            if !heading.is_empty() {
                let content = fs::read_to_string(&target).expect("readable");
                let anchors: Vec<String> = content.lines().filter_map(anchor).collect();
                assert!(anchors.iter().any(|one| one == heading), "{}: {link}", path.display());
            }
        }
    }
}

/// The anchor of a heading, as mdBook and GitHub make it.
fn anchor(line: &str) -> Option<String> {
    let heading = line.strip_prefix('#')?.trim_start_matches('#').strip_prefix(' ')?;
    let heading = heading.to_lowercase();
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    Some(kept.map(|c| if c == ' ' { '-' } else { c }).collect())
}

#[test]
fn every_page_is_in_the_summary() {
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).expect("readable");
    for path in markdown_files(&root().join("docs")) {
        let name =
            path.strip_prefix(root().join("docs")).expect("below docs").display().to_string();
        let is_there = name == "SUMMARY.md" || summary.contains(&format!("]({name})"));
        assert!(is_there, "docs/{name} is not in docs/SUMMARY.md");
    }
}

/// Every command of this program in a block of a document parses, so no flag in it is wrong.
/// Commands of other programs (kubectl, clusterctl, helm, kind) need clusters, images or Docker,
/// and run in the lab.
#[test]
fn every_command_of_the_documents_parses() {
    let mut checked = 0;
    for path in texts() {
        let content = fs::read_to_string(&path).expect("readable");
        for command in commands_of_blocks(&content) {
            // Behind a pipe or a redirection stands something else.
            let own = command.replace(" 2>", " >");
            let own = own.split(['|', '>']).next().unwrap_or_default();
            let words: Vec<String> = own
                .split_whitespace()
                .filter(|word| *word != "…")
                .skip(1)
                .map(|word| word.trim_matches('\'').to_owned())
                .collect();
            let parsed = cli::check_line(&words);
            parsed.unwrap_or_else(|error| panic!("{}: {command}\n{error}", path.display()));
            checked += 1;
        }
    }
    assert!(checked > 40, "only {checked} commands were found");
}

/// A block of commands is run by the suite `moves`, part `pages`, unless a comment says why not.
#[test]
fn every_block_of_commands_is_run_or_says_why_not() {
    let (mut run, mut not_run) = (0, BTreeMap::<String, usize>::new());
    for (page, blocks) in console::pages() {
        for block in blocks {
            match block.not_run {
                None => run += 1,
                Some(reason) => {
                    assert!(reason.split(' ').count() > 2, "{page}: {reason:?} is no reason");
                    *not_run.entry(page.clone()).or_default() += 1;
                }
            }
        }
    }
    assert!(run >= 25, "only {run} blocks are run: {not_run:#?}");
    for path in texts() {
        let text = fs::read_to_string(&path).expect("readable");
        for comment in text.split("<!-- ").skip(1) {
            let known = [
                "run: ",
                "not run: ",
                "no block is run: ",
                "fields of ",
                "values of ",
                "events of ",
                "exit codes: ",
            ];
            let is_known = known.iter().any(|known| comment.starts_with(known));
            assert!(is_known, "{}: {:?}", path.display(), comment.lines().next());
        }
    }
}

/// The commands of this program in the blocks of a text, continued lines joined, without the
/// prompt and without variables before them.
fn commands_of_blocks(content: &str) -> Vec<String> {
    let blocks = content.split("```").skip(1).step_by(2);
    let blocks = blocks.filter(|block| block.starts_with("console\n"));
    let lines = blocks.flat_map(|block| {
        let joined = block.replace("\\\n", " ");
        joined.lines().map(str::to_owned).collect::<Vec<_>>()
    });
    let commands = lines.filter_map(|line| {
        let line = line.strip_prefix("$ ").unwrap_or(&line);
        let command = line.find("kubectl pivot ")?;
        let is_command = line[..command].split_whitespace().all(|word| word.contains('='));
        is_command.then(|| line[command..].to_owned())
    });
    commands.collect()
}

/// A flag in running text is one of a command of this program.
#[test]
fn every_flag_that_the_documents_name_exists() {
    const OTHERS: [&str; 5] = ["cargo", "clusterctl", "helm", "kind", "kubectl"];
    let known = cli::long_flags();
    let mut unknown = BTreeSet::new();
    for path in texts().into_iter().filter(|path| path.starts_with(root().join("docs"))) {
        let content = fs::read_to_string(&path).expect("readable");
        let prose = content.split("```").step_by(2).collect::<String>();
        for code in prose.split('`').skip(1).step_by(2) {
            let program = code.split_whitespace().next().unwrap_or_default();
            if OTHERS.contains(&program) && !code.starts_with("kubectl pivot") {
                continue;
            }
            for word in code.split_whitespace().filter(|word| word.starts_with("--")) {
                let end = |c: char| !(c.is_ascii_alphanumeric() || c == '-');
                let flag = word.split(end).next().unwrap_or_default();
                if !known.contains(flag) {
                    unknown.insert(format!("{}: {flag}", path.display()));
                }
            }
        }
    }
    // A flag of `kubectl apply`.
    unknown.retain(|text| !text.ends_with(": --force-conflicts"));
    assert!(unknown.is_empty(), "no command has these flags: {unknown:#?}");
}

/// The reference of commands is the help. To write it anew: `KUBECTL_PIVOT_WRITE_REFERENCE=1 cargo
/// test -p kubectl-pivot-tests --test documents`.
#[test]
fn the_reference_of_commands_is_their_help() {
    let path = root().join("docs/reference/commands.md");
    let help = cli::reference();
    if std::env::var_os("KUBECTL_PIVOT_WRITE_REFERENCE").is_some() {
        fs::write(&path, &help).expect("writable");
    }
    let written = fs::read_to_string(&path).expect("readable");
    assert!(written == help, "docs/reference/commands.md is out of date; see this test");
}

#[test]
fn the_readme_is_a_door() {
    let lines = README.lines().count();
    assert!(lines <= 150, "the README has {lines} lines; details belong in docs/");
}

/// All texts for users and contributors.
fn texts() -> Vec<PathBuf> {
    let top = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"];
    let top = top.into_iter().map(|name| root().join(name));
    top.chain(markdown_files(&root().join("docs"))).collect()
}

fn markdown_files(folder: &Path) -> Vec<PathBuf> {
    files(folder, "md")
}

#[test]
fn the_folders_of_the_code_map_are_there() {
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("readable");
    let map = architecture.split("```").nth(1).expect("the map is the first block");
    let mut folders: Vec<PathBuf> = Vec::new();
    for line in map.lines().filter(|line| !line.trim().is_empty()) {
        let depth = (line.len() - line.trim_start().len()) / 2;
        let name = line.split_whitespace().next().expect("not empty");
        folders.truncate(depth);
        folders.push(folders.last().cloned().unwrap_or_else(root).join(name));
        let path = folders.last().expect("just pushed");
        assert!(path.exists(), "{} is not there", path.display());
    }
}

#[test]
fn each_crate_uses_what_the_table_of_crates_allows() {
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("readable");
    let names = |cell: &str| -> BTreeSet<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let told: BTreeMap<String, BTreeSet<String>> =
        rows(&architecture, "| crate | what it is for | may use |")
            .iter()
            .map(|cells| (cells[0].trim_matches('`').to_owned(), names(cells[2])))
            .collect();
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (folder, uses) in crates() {
        let one_of_many = folder.starts_with("plugins/");
        let key = if one_of_many { "plugins/*".to_owned() } else { folder };
        used.entry(key).or_default().extend(uses);
    }
    assert_eq!(told, used);
}

/// The folder of each crate of the workspace, with those of the crates that it depends on.
fn crates() -> Vec<(String, Vec<String>)> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version=1", "--no-deps", "--locked"]).current_dir(root());
    let output = cargo.output().expect("cargo has built this test and is still there");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo answers in JSON");
    let folder = |path: &Value| {
        let path = Path::new(path.as_str().expect("a path")).strip_prefix(root());
        path.expect("in the workspace").display().to_string()
    };
    let packages = metadata["packages"].as_array().expect("a list").iter();
    let described = packages.map(|package| {
        let manifest = folder(&package["manifest_path"]);
        let dependencies = package["dependencies"].as_array().expect("a list").iter();
        let uses = dependencies.map(|one| &one["path"]).filter(|path| path.is_string()).map(folder);
        (manifest.trim_end_matches("/Cargo.toml").to_owned(), uses.collect())
    });
    described.collect()
}

/// The cells of a table that begins with this heading.
fn rows<'a>(text: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let table = text.lines().skip_while(|line| !line.starts_with(heading)).skip(2);
    let rows: Vec<Vec<&str>> = table
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    assert!(!rows.is_empty(), "no table begins with {heading}");
    rows
}

fn first_column(rows: &[Vec<&str>]) -> BTreeSet<String> {
    rows.iter().map(|cells| cells[0].trim_matches('`').to_owned()).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("in the workspace").to_owned()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    files(folder, "rs")
}

/// All files with this ending in a folder and those below it.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("readable");
    entries
        .map(|entry| entry.expect("readable").path())
        .flat_map(|path| if path.is_dir() { files(&path, ending) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == ending))
        .collect()
}
