//! The table that `kubectl get` prints, from what the API server sends for it.

use serde_json::Value;
use support::visible::one_line;

use super::Screen;

/// Space between columns, as kubectl has it.
const GAP: usize = 3;

/// Formats a `meta.k8s.io/v1` Table. Without rows: kubectl's sentence for that.
pub fn kubectl_table(table: &Value, with_namespace: bool) -> String {
    let rows = array(&table["rows"]);
    if rows.is_empty() {
        return "No resources found\n".to_owned();
    }
    let columns: Vec<usize> = array(&table["columnDefinitions"])
        .iter()
        .enumerate()
        .filter(|(_, column)| column["priority"].as_i64().unwrap_or_default() == 0)
        .map(|(index, _)| index)
        .collect();
    let header = columns
        .iter()
        .map(|index| text(&table["columnDefinitions"][*index]["name"]).to_uppercase());
    let mut lines: Vec<Vec<String>> = vec![header.collect()];
    lines.extend(
        rows.iter().map(|row| columns.iter().map(|index| text(&row["cells"][*index])).collect()),
    );
    if with_namespace {
        lines[0].insert(0, "NAMESPACE".to_owned());
        for (line, row) in lines.iter_mut().skip(1).zip(rows) {
            line.insert(0, text(&row["object"]["metadata"]["namespace"]));
        }
    }
    align(&lines)
}

/// Aligns columns as [`align`] does. Where that is too wide for the screen, the last column, which
/// holds a path, stands in a line of its own below the others.
pub(super) fn fitted(lines: &[Vec<String>], screen: &Screen) -> String {
    let table = align(lines);
    if table.lines().all(|line| line.chars().count() <= screen.columns) {
        return table;
    }
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default();
    let split = |line: &Vec<String>| match line.len() == columns {
        true => (line[..columns - 1].to_vec(), line.last().cloned()),
        false => (line.clone(), None),
    };
    let (heads, tails): (Vec<_>, Vec<_>) = lines.iter().map(split).unzip();
    let mut text = String::new();
    for (head, tail) in align(&heads).lines().zip(tails) {
        text.push_str(head);
        text.push('\n');
        if let Some(tail) = tail {
            text.push_str(&format!("    {}\n", one_line(&tail)));
        }
    }
    text
}

/// Pads all columns but the last to equal width.
pub(super) fn align(lines: &[Vec<String>]) -> String {
    let lines: Vec<Vec<String>> =
        lines.iter().map(|line| line.iter().map(|cell| one_line(cell)).collect()).collect();
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        lines
            .iter()
            .filter_map(|line| line.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let cells =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<0$}", width + GAP));
        text.push_str(cells.collect::<String>().trim_end());
        text.push('\n');
    }
    text
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_that_does_not_fit_stands_below() {
        let line = |texts: [&str; 3]| texts.map(str::to_owned).to_vec();
        let lines = [line(["RUN", "OBJECTS", "DIRECTORY"]), line(["r1", "42", "/a/long/path"])];
        let narrow = Screen { columns: 20, is_utf8: true };
        let expected = "RUN   OBJECTS\n    DIRECTORY\nr1    42\n    /a/long/path\n";
        assert_eq!(fitted(&lines, &narrow), expected);
        assert_eq!(fitted(&lines, &Screen { columns: 40, ..narrow }), align(&lines));
    }

    #[test]
    fn looks_like_kubectl() {
        let table = json!({"columnDefinitions": [{"name": "Name", "priority": 0},
            {"name": "Wide", "priority": 10},
            {"name": "Age"}], "rows": [{"cells": ["c0", "x", "5s"],
                "object": {"metadata": {"namespace": "default"}}}]});
        assert_eq!(kubectl_table(&table, false), "NAME   AGE\nc0     5s\n");
        assert_eq!(kubectl_table(&table, true), "NAMESPACE   NAME   AGE\ndefault     c0     5s\n");
        assert_eq!(kubectl_table(&json!({"rows": []}), false), "No resources found\n");
    }
}
