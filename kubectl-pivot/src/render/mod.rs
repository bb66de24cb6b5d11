//! Turning events, reports and errors into text. Nothing else in the program prints.

mod backups;
mod checks;
mod deletion;
mod diagnosis;
mod explain;
mod failure;
mod kubectl_table;
mod live;
mod objects;
mod pivot;
mod plan;
mod plugins;
mod progress;
mod report;
mod sandboxes;
mod scope;
mod sides;
mod status;
mod structured;

use std::io::Write;

use crate::visible;

pub use backups::backups;
pub use checks::checks;
pub use deletion::{deletion, prospect};
pub use diagnosis::diagnosis;
pub use explain::{explanation, explanations};
pub use failure::failure;
pub use kubectl_table::kubectl_table;
pub use live::Live;
pub use objects::{json_objects, yaml_objects};
pub use pivot::{outline, pivot, runs};
pub use plan::{plan, plan_dot};
pub use plugins::{installed, new_plugin, plugin, plugin_check, plugins, trusted};
pub use progress::{Progress, ProgressView};
pub use report::report;
pub use sandboxes::{sandbox_up, sandboxes};
pub(crate) use scope::scope;
pub use sides::{batch_states, cluster_states, moved_before};
pub use status::status;
pub use structured::structured;

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
    let _ = writeln!(out, "{}", visible::output(text.trim_end()));
}
