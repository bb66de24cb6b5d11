//! Screens as documents: `snapshots/` has each of them at 80 and 120 columns, and in ASCII.
//!
//! After a wanted change: `KUBECTL_PIVOT_WRITE_SNAPSHOTS=1 cargo test -p kubectl-pivot --lib
//! snapshot_tests`.

mod create;
mod files;
mod moves;
mod problems;

use std::fs;
use std::path::Path;

use console::measure_text_width;

use super::Screen;

/// Fields of the largest screen that everything has to fit.
const SCREEN: (usize, usize) = (80, 24);

/// Compares a screen with its file, at each width and in ASCII. No line is wider than the screen,
/// but for a command to copy, a path or a URL.
fn assert_screen(name: &str, text: impl Fn(&Screen) -> String) {
    let mut all = String::new();
    for (columns, is_utf8) in [(80, true), (120, true), (80, false)] {
        let screen = Screen { columns, is_utf8 };
        let shown = anstream::adapter::strip_str(&screen.fit(&text(&screen))).to_string();
        assert!(is_utf8 || shown.is_ascii(), "{name} is not ASCII: {shown}");
        for line in shown.lines().filter(|line| measure_text_width(line) > columns) {
            let is_to_copy = ["kubectl pivot ", "kubectl --", "clusterctl --", "/"];
            assert!(
                is_to_copy.iter().any(|part| line.contains(part)),
                "{name} is too wide: {line}"
            );
        }
        if columns == SCREEN.0 {
            assert!(shown.lines().count() < SCREEN.1, "{name} is too long: {shown}");
        }
        let charset = if is_utf8 { "UTF-8" } else { "ASCII" };
        all.push_str(&format!("=== {columns} columns, {charset}\n{shown}\n"));
    }
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/render/snapshots/{name}.txt"));
    if std::env::var_os("KUBECTL_PIVOT_WRITE_SNAPSHOTS").is_some() {
        fs::write(&file, &all).expect("the snapshot can be written");
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(all, expected, "{} differs", file.display());
}
