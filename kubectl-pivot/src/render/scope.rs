//! The scope of a run, in a few words.

use std::collections::BTreeSet;

use support::visible::one_line;

/// Clusters that are named; the others are counted.
const NAMED: usize = 3;

/// Names the scope of a run: namespaces, and the Clusters that were chosen in them.
pub(crate) fn scope(
    namespace: Option<&str>,
    namespaces: &BTreeSet<String>,
    chosen: Option<&[String]>,
) -> String {
    let place = match (namespace, namespaces.is_empty()) {
        (Some(namespace), _) => format!("namespace {namespace}"),
        (None, false) => {
            let names: Vec<&str> = namespaces.iter().map(String::as_str).collect();
            format!("namespaces {}", names.join(", "))
        }
        (None, true) => "all namespaces".to_owned(),
    };
    let Some(chosen) = chosen else { return one_line(&place) };
    let named = chosen.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = match chosen.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    one_line(&format!("{place} (chosen: {named}{more})"))
}
