//! The page of the reference: `docs/reference/benchmarks.md` and its chart.

use std::process::Command;

use super::chart;
use super::measured::repository;
use super::table::{HEAD, Row};

/// Words of the page before its figures.
const INTRODUCTION: &str = include_str!("introduction.md");

/// Writes both.
pub(crate) fn write(rows: &[Row]) {
    let folder = repository().join("docs/reference");
    chart::draw(rows, &folder.join("benchmarks.svg"));
    let lines: Vec<String> = rows.iter().map(Row::to_string).collect();
    let page = format!("{INTRODUCTION}\n{}\n\n{HEAD}\n{}\n", machine(), lines.join("\n"));
    std::fs::write(folder.join("benchmarks.md"), page).expect("the reference can be written");
}

/// The machine and the versions, as they name themselves.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let git = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    let commit = git.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    format!(
        "{cores} cores ({}), all API servers on the same machine; commit {}.",
        model.unwrap_or("unknown"),
        commit.unwrap_or_default(),
    )
}
