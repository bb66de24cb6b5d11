//! Changing texts at random.

use std::path::PathBuf;

use rand::Rng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;

/// The most changes of one text.
const MOST_CHANGES: usize = 8;

/// Texts that readers of JSON, YAML, URLs, names and terminals treat in their own way.
const WORDS: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "\\",
    "\n",
    "null",
    "true",
    "-1",
    "1e999",
    "18446744073709551616",
    "\\ud800",
    "\\u0000",
    "&a",
    "*a",
    "<<: *a",
    "- ",
    "  ",
    "---\n",
    "!!binary ",
    "|\n",
    "%",
    "../",
    "/",
    "\u{1b}[2J",
    "\u{9b}",
    "\u{202e}",
    "\u{2028}",
    "\u{feff}",
    "\r",
    "\t",
    "#",
    "kind: ",
    "items",
    "metadata",
    "Bearer ",
    "token: ",
];

/// A text of the corpus with changes.
pub(super) fn mutated(corpus: &[(PathBuf, Vec<u8>)], dice: &mut StdRng) -> Vec<u8> {
    let (_, text) = corpus.choose(dice).expect("every target has a corpus");
    let mut text = text.clone();
    for _ in 0..dice.random_range(1..=MOST_CHANGES) {
        change(&mut text, corpus, dice);
    }
    text
}

fn change(text: &mut Vec<u8>, corpus: &[(PathBuf, Vec<u8>)], dice: &mut StdRng) {
    let at = dice.random_range(0..=text.len());
    let end = (at + dice.random_range(0..=16)).min(text.len());
    match dice.random_range(0..7) {
        0 if at < text.len() => text[at] ^= 1 << dice.random_range(0..8),
        1 => drop(text.drain(at..end)),
        2 => insert(text, at, WORDS.choose(dice).expect("there are words").as_bytes()),
        3 => {
            let part = text[at..end].to_vec();
            insert(text, at, &part.repeat(dice.random_range(1..20)));
        }
        4 => {
            let (_, other) = corpus.choose(dice).expect("every target has a corpus");
            let from = dice.random_range(0..=other.len());
            text.truncate(at);
            text.extend_from_slice(&other[from..]);
        }
        5 => drop(text.splice(at..end, [dice.random()])),
        _ => text.truncate(at.max(1).min(text.len())),
    }
}

fn insert(text: &mut Vec<u8>, at: usize, part: &[u8]) {
    drop(text.splice(at..at, part.iter().copied()));
}
