//! Fuzzing what reads foreign text: every target takes the texts of its corpus (`corpus/TARGET/`), changes them at
//! random, and must keep what it promises. A panic is a failure.
//!
//! `cargo test` makes a short pass, always the same one. `.ci/run fuzz` continues for ten minutes with another seed each
//! time; `KUBECTL_PIVOT_SEED` repeats one.

mod mutate;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use self::mutate::mutated;

/// The time that each target takes. Without it, a short pass.
const SECONDS: &str = "KUBECTL_PIVOT_FUZZ_SECONDS";

/// Texts of a short pass.
const SHORT_PASS: u64 = 300;

/// The seed of a short pass.
const SEED: u64 = 8_207_608_077_109_100_658;

/// Checks a target with its corpus and with texts made of it.
pub fn fuzz(target: &str, check: impl Fn(&[u8])) {
    let corpus = corpus(target);
    let seconds: Option<u64> = std::env::var(SECONDS).ok().and_then(|text| text.parse().ok());
    let given = std::env::var("KUBECTL_PIVOT_SEED").ok().and_then(|text| text.parse().ok());
    let seed = given.unwrap_or_else(|| if seconds.is_some() { rand::random() } else { SEED });
    let mut dice = StdRng::seed_from_u64(seed);
    let begun = Instant::now();
    let is_over = |count: u64| match seconds {
        Some(seconds) => begun.elapsed() >= Duration::from_secs(seconds),
        None => count >= SHORT_PASS,
    };
    corpus.iter().for_each(|(_, text)| run(target, seed, &check, text));
    let mut count = corpus.len() as u64;
    while !is_over(count) {
        let text = mutated(&corpus, &mut dice);
        run(target, seed, &check, &text);
        count += 1;
    }
    tell(target, seed, count, begun.elapsed());
}

fn run(target: &str, seed: u64, check: &impl Fn(&[u8]), text: &[u8]) {
    let checked = catch_unwind(AssertUnwindSafe(|| check(text)));
    if checked.is_err() {
        let shown = String::from_utf8_lossy(text);
        panic!("{target}, seed {seed}: fails with {:?}", shown.escape_debug().to_string());
    }
}

/// The names and texts of a corpus.
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let entries = std::fs::read_dir(&folder).expect("every target has a corpus");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    let texts = paths.into_iter().map(|path| {
        let text = std::fs::read(&path).expect("a text of the corpus");
        (path, text)
    });
    texts.collect()
}

#[expect(clippy::print_stderr, reason = "the figures of a long pass are its result")]
fn tell(target: &str, seed: u64, count: u64, took: Duration) {
    eprintln!(
        "fuzz {target}: {count} texts in {:.1} s, seed {seed}, no finding",
        took.as_secs_f64()
    );
}
