//! Short passes of fuzzing: a target takes the texts of its corpus (`corpus/`), changes them at
//! random, and must keep what it promises. A panic is a failure.
//!
//! Targets are functions in the modules `fuzzing`, beside the code that they are about. `cargo
//! test` makes a short pass of each, always the same one; `KUBECTL_PIVOT_SEED` makes another.
//! `.ci/run fuzz` has libFuzzer make the texts, led by the code that they reach (`fuzz/`).

mod mutate;
mod place;

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use self::mutate::mutated;

pub use place::written;

/// Texts of a pass.
const TEXTS: usize = 300;

/// The seed of a pass.
const SEED: u64 = 8_207_608_077_109_100_658;

/// Checks a target with the texts of a corpus and with texts made of them.
///
/// # Panics
/// When the target does not keep a promise.
pub fn pass(corpus: &str, target: fn(&[u8])) {
    let given = std::env::var("KUBECTL_PIVOT_SEED").ok().and_then(|text| text.parse().ok());
    let seed = given.unwrap_or(SEED);
    let mut dice = StdRng::seed_from_u64(seed);
    let texts = texts(corpus);
    texts.iter().for_each(|(_, text)| run(corpus, seed, target, text));
    for _ in 0..TEXTS {
        run(corpus, seed, target, &mutated(&texts, &mut dice));
    }
}

fn run(corpus: &str, seed: u64, target: fn(&[u8]), text: &[u8]) {
    if catch_unwind(|| target(text)).is_err() {
        let shown = String::from_utf8_lossy(text);
        panic!("{corpus}, seed {seed}: fails with {:?}", shown.escape_debug().to_string());
    }
}

/// The names and texts of a corpus.
fn texts(corpus: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(corpus);
    let entries = std::fs::read_dir(&folder).expect("every target has a corpus");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    let texts = paths.into_iter().map(|path| {
        let text = std::fs::read(&path).expect("a text of the corpus");
        (path, text)
    });
    texts.collect()
}
