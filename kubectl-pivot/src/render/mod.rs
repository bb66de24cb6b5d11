//! Turning events, reports and errors into text. Nothing else in the program prints.

mod backups;
mod checks;
mod completion;
mod deletion;
mod diagnosis;
mod explain;
mod failure;
mod findings;
mod kubectl_table;
mod live;
mod move_plan;
mod pivot;
mod plan;
mod plugin_artifacts;
mod plugins;
mod progress;
mod report;
mod sandboxes;
mod scope;
mod screen;
mod sides;
#[cfg(test)]
mod snapshot_tests;
mod status;
mod structured;

use std::io::Write;

use support::visible;

pub use backups::{backup_contents, backups, pruned};
pub use checks::checks;
pub use completion::completion;
pub use deletion::{deletion, prospect};
pub use diagnosis::diagnosis;
pub use explain::{explanation, explanations};
pub use failure::failure;
pub use findings::findings;
pub use kubectl_table::kubectl_table;
pub use live::Live;
pub use move_plan::move_plan;
pub use pivot::{outline, pivot, runs};
pub use plan::{plan, plan_dot};
pub use plugin_artifacts::{offer, outdated, packaged, upgraded};
pub use plugins::{installed, new_plugin, plugin, plugin_check, plugins, trusted};
#[cfg(feature = "schema")]
pub(crate) use progress::ProgressLine;
pub use progress::{Progress, ProgressView};
pub use report::{ReportView, report};
pub use sandboxes::{sandbox_up, sandboxes};
pub(crate) use scope::scope;
pub use screen::Screen;
pub use sides::{batch_states, cluster_states, moved_before};
pub use status::status;
pub use structured::{json_objects, structured, yaml_objects};

/// Formats of results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// One YAML document.
    Yaml,
}

/// Writes a result to standard output: the document that was asked for, or else a text for people.
pub fn show(document: Option<String>, text: impl FnOnce(&Screen) -> String) {
    match document {
        Some(document) => print(&document),
        None => {
            let screen = Screen::of_stdout();
            print(&screen.fit(&text(&screen)));
        }
    }
}

/// Writes a result to standard output. A closed pipe (`| head`) is no error.
pub fn print(text: &str) {
    let mut out = anstream::stdout().lock();
    let text = visible::output(text);
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
    let _ = out.flush();
}

/// Writes a line to standard error.
pub fn print_error(text: &str) {
    let mut out = anstream::stderr().lock();
    let text = Screen::of_stderr().fit(text.trim_end());
    let _ = writeln!(out, "{}", visible::output(&text));
}
