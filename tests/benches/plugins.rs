//! The cost of loading a plugin and of calling it.
//!
//! `cargo bench -p kubectl-pivot-tests --bench plugins` prints a table. Each load is of another
//! copy of the library, with other bytes at its end: the same bytes are loaded once. Nothing is
//! asserted about time.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

use std::fs;
use std::hint::black_box;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kubectl_pivot_plugin_api::{ClusterRequest, ProbesRequest};
use kubectl_pivot_tests::plugins::library;
use plugin_host::{Plugin, PluginFile};

/// Copies that are loaded.
const LOADS: usize = 50;

/// Calls of each method.
const CALLS: usize = 2_000;

fn main() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    let library = library("docker");
    let copies: Vec<PathBuf> = (0..LOADS).map(|n| copy(&library, folder.path(), n)).collect();
    let size = fs::metadata(&library).expect("it was just built").len();
    println!("docker plugin, {} KiB; {LOADS} loads, {CALLS} calls each\n", size / 1024);
    println!("| what | median | 95 % | slowest |");
    println!("|---|---|---|---|");

    let inspect = |path: &PathBuf| PluginFile::inspect(path).expect("a proper library");
    let mut files = Vec::new();
    row(
        "inspect: permissions, sha256, header",
        copies.iter().map(|path| measured(|| files.push(inspect(path)))),
    );
    let mut plugins = Vec::new();
    row(
        "load: open, check, ask who it is",
        files.iter().map(|file| {
            measured(|| plugins.push(Plugin::open(file).expect("a plugin of this workspace")))
        }),
    );
    let plugin = plugins.first().expect("some were loaded");
    let infrastructure = plugin.infrastructure().expect("it is of that kind");
    let (cluster, probes) = (ClusterRequest::named("pivot"), ProbesRequest::default());
    calls("call: variables", || drop(black_box(plugin.variables())));
    calls("call: render", || drop(black_box(infrastructure.render(&cluster))));
    calls("call: probes", || drop(black_box(infrastructure.probes(&probes))));
}

fn calls(what: &str, call: impl Fn()) {
    row(what, (0..CALLS).map(|_| measured(&call)));
}

fn measured(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

fn row(what: &str, times: impl Iterator<Item = Duration>) {
    let mut times: Vec<Duration> = times.collect();
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!("| {what} | {:?} | {:?} | {:?} |", at(50), at(95), at(100));
}

fn copy(library: &Path, folder: &Path, number: usize) -> PathBuf {
    let path = folder.join(format!("libcopy{number}{}", std::env::consts::DLL_SUFFIX));
    let mut bytes = fs::read(library).expect("it was just built");
    bytes.extend(number.to_le_bytes());
    fs::write(&path, bytes).expect("the folder is ours");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    path
}
