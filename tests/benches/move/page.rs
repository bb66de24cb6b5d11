//! The page of the reference: `docs/reference/benchmarks.md` and its chart.

use std::process::Command;

use super::chart;
use super::measured::repository;
use super::table::{HEAD, Row};

/// Words of the page before its figures.
const INTRODUCTION: &str = "\
# Benchmarks

`just bench` measures a move by kubectl-pivot beside one by clusterctl, and beside bare writes. This page is written by it
(`.ci/run bench --write`): its figures are those of one run on one machine, and its times say little about yours. Ratios
say more: all of them move the same fleets, in the same run, between the same API servers (real etcd and kube-apiserver,
with the garbage collector).

- **bare writes**: five writes for each object, 32 objects at a time, without order, checks, pauses or reads. No program that marks, creates
  and deletes can be much faster.
- **round trip**: the time that a request and its answer spend on the line. A line in front of each API server delays all bytes, those of
  clusterctl too.
- **requests per object**: as the API servers count them (`apiserver_request_total`), without Leases and watches.
- **memory**: the most that was resident. **processor**: time of all cores.
- **pause**: from the pause of a Cluster in the source until it is active in the target, as a watch of both sees it. Half of the Clusters
  were paused for no longer than the first figure.

![Seconds over the number of Clusters](benchmarks.svg)
";

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
