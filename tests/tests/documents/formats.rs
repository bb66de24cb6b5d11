//! The formats that users keep: `docs/reference/schemas` and the tables of the reference are
//! written from the types. To write them anew: `KUBECTL_PIVOT_WRITE_REFERENCE=1 cargo test -p
//! kubectl-pivot-tests --test documents`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use kubectl_pivot::cli;
use kubectl_pivot::schemas::schemas;
use serde_json::Value;

use super::{anchor, markdown_files, root};

/// Objects with more fields than these have a table of their own.
const FIELDS_IN_A_CELL: usize = 4;

/// Lists with more values than these have a table of their own.
const VALUES_IN_A_CELL: usize = 6;

#[test]
fn the_schemas_of_the_reference_are_those_of_the_types() {
    let folder = root().join("docs/reference/schemas");
    for (name, schema) in schemas() {
        let path = folder.join(format!("{name}.json"));
        let text = format!("{schema:#}\n");
        if is_writing() {
            fs::write(&path, &text).expect("writable");
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert!(written == text, "{} is out of date; see this test", path.display());
    }
    let files = fs::read_dir(&folder).expect("readable").count();
    assert_eq!(files, schemas().len(), "a file belongs to no document");
}

#[test]
fn the_tables_of_formats_are_written_from_the_types() {
    let types = Types::new();
    let mut shown = BTreeSet::new();
    for path in markdown_files(&root().join("docs/reference")) {
        let old = fs::read_to_string(&path).expect("readable");
        let new = types.rewritten(&old, &mut shown);
        if is_writing() {
            fs::write(&path, &new).expect("writable");
        }
        let written = fs::read_to_string(&path).expect("readable");
        assert!(written == new, "{} is out of date; see this test", path.display());
    }
    let large = types.0.iter().filter(|(_, schema)| is_large(schema)).map(|(name, _)| name);
    let missing: Vec<_> = large.filter(|name| !shown.contains(*name)).collect();
    assert!(missing.is_empty(), "the reference has no table of {missing:?}");
}

#[test]
fn every_setting_of_the_document_is_a_flag_of_create() {
    let flags = cli::long_flags();
    let types = Types::new();
    let fields = types.0["PivotSpec"]["properties"].as_object().expect("fields");
    for field in fields.keys() {
        let words = field.chars().map(|c| match c.is_ascii_uppercase() {
            true => format!("-{}", c.to_ascii_lowercase()),
            false => c.to_string(),
        });
        let flag = format!("--{}", words.collect::<String>());
        assert!(flags.contains(&flag), "{field} has no flag {flag}");
    }
}

fn is_writing() -> bool {
    std::env::var_os("KUBECTL_PIVOT_WRITE_REFERENCE").is_some()
}

fn is_large(schema: &Value) -> bool {
    let fields = schema["properties"].as_object().map_or(0, serde_json::Map::len);
    fields > FIELDS_IN_A_CELL || values(schema).len() > VALUES_IN_A_CELL
}

/// Every type of the formats by its name.
struct Types(BTreeMap<String, Value>);

impl Types {
    fn new() -> Self {
        let mut types = BTreeMap::new();
        for (name, schema) in schemas() {
            for (part, definition) in schema["$defs"].as_object().into_iter().flatten() {
                types.entry(part.clone()).or_insert_with(|| definition.clone());
            }
            types.insert(name.to_owned(), schema);
        }
        Self(types)
    }

    /// A page with its tables as they have to be: each stands below a comment that names it.
    fn rewritten(&self, page: &str, shown: &mut BTreeSet<String>) -> String {
        let headings: BTreeSet<String> = page.lines().filter_map(anchor).collect();
        let mut new = String::new();
        let mut lines = page.lines().peekable();
        while let Some(line) = lines.next() {
            new.push_str(line);
            new.push('\n');
            let Some((what, name)) = table_of(line) else { continue };
            let mut old: Vec<&str> = Vec::new();
            while let Some(row) = lines.next_if(|line| line.starts_with('|')) {
                old.push(row);
            }
            shown.insert(name.to_owned());
            let schema = self.0.get(name).unwrap_or_else(|| panic!("there is no type {name}"));
            new.push_str(&match what {
                "fields" => self.fields(schema, &headings, &old),
                "values" => values_table(schema, &old),
                "events" => self.events(schema, &old),
                other => panic!("there are no tables of {other}"),
            });
        }
        new
    }

    fn fields(&self, schema: &Value, headings: &BTreeSet<String>, old: &[&str]) -> String {
        let fields = schema["properties"].as_object().into_iter().flatten();
        let row = |(name, field): (&String, &Value)| {
            (name.clone(), vec![self.form(field, headings), self.meaning(field)])
        };
        table("| field | type | meaning |\n|---|---|---|\n", fields.map(row).collect(), old)
    }

    fn events(&self, schema: &Value, old: &[&str]) -> String {
        let own = ["Shown", "RunEvent"].map(|name| &schema["$defs"][name]["oneOf"]);
        let events = own.into_iter().flat_map(|events| events.as_array().expect("events"));
        let row = |event: &Value| {
            let name = event["properties"]["event"]["const"].as_str().expect("a name");
            let fields = event["properties"].as_object().expect("fields").keys();
            let fields = fields.filter(|field| *field != "event").map(|field| format!("`{field}`"));
            let fields = fields.collect::<Vec<_>>().join(", ");
            (name.to_owned(), vec![fields, self.meaning(event)])
        };
        table("| event | fields | meaning |\n|---|---|---|\n", events.map(row).collect(), old)
    }

    /// The description of a field or, if it has none, of its type.
    fn meaning(&self, field: &Value) -> String {
        let own = description(field);
        if !own.is_empty() {
            return own;
        }
        referred(field).map_or_else(String::new, |name| description(&self.0[name]))
    }

    /// The type of a field, in words.
    fn form(&self, field: &Value, headings: &BTreeSet<String>) -> String {
        if let Some(name) = referred(field) {
            return self.named(name, headings);
        }
        if let Some(variants) = field["anyOf"].as_array() {
            let mut known = variants.iter().filter(|variant| variant["type"] != "null");
            return known.next().map_or_else(String::new, |one| self.form(one, headings));
        }
        match kind(field) {
            "array" => format!("list of {}", plural(&self.form(&field["items"], headings))),
            "object" if field["additionalProperties"].is_object() => {
                format!("map to {}", self.form(&field["additionalProperties"], headings))
            }
            "" => "any".to_owned(),
            simple => simple.to_owned(),
        }
    }

    fn named(&self, name: &str, headings: &BTreeSet<String>) -> String {
        let heading = name.to_lowercase();
        if headings.contains(&heading) {
            return format!("[{name}](#{heading})");
        }
        let schema = &self.0[name];
        if let Some(fields) = schema["properties"].as_object() {
            return format!("`{{{}}}`", fields.keys().cloned().collect::<Vec<_>>().join(", "));
        }
        let values = values(schema);
        match values.is_empty() {
            true => kind(schema).to_owned(),
            false => {
                values.iter().map(|(value, _)| format!("`{value}`")).collect::<Vec<_>>().join(", ")
            }
        }
    }
}

/// The contents and the name of the table that a comment announces: `<!-- fields of Finding -->`.
fn table_of(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("<!-- ")?
        .strip_suffix(" -->")?
        .split_once(" of ")
        .filter(|(what, name)| ["fields", "values", "events"].contains(what) && !name.contains(' '))
}

/// Rows in the order of the page as it is, since a schema knows none; new ones come last.
fn table(heading: &str, mut rows: Vec<(String, Vec<String>)>, old: &[&str]) -> String {
    let place = |name: &str| {
        let cell = format!("| `{name}` |");
        old.iter().position(|row| row.starts_with(&cell)).unwrap_or(usize::MAX)
    };
    rows.sort_by_key(|(name, _)| place(name));
    let rows = rows.iter().map(|(name, cells)| format!("| `{name}` | {} |\n", cells.join(" | ")));
    heading.to_owned() + &rows.collect::<String>()
}

fn values_table(schema: &Value, old: &[&str]) -> String {
    let rows = values(schema).into_iter().map(|(value, meaning)| (value, vec![meaning]));
    table("| value | meaning |\n|---|---|\n", rows.collect(), old)
}

/// The values of a type that is a choice of words, with their descriptions.
fn values(schema: &Value) -> Vec<(String, String)> {
    let described = schema["oneOf"].as_array().into_iter().flatten();
    let described = described.map(|one| (&one["const"], description(one)));
    let plain = schema["enum"].as_array().into_iter().flatten().map(|one| (one, String::new()));
    let all = described.chain(plain);
    all.filter_map(|(value, meaning)| Some((value.as_str()?.to_owned(), meaning))).collect()
}

/// The type that a field refers to.
fn referred(field: &Value) -> Option<&str> {
    field["$ref"].as_str()?.strip_prefix("#/$defs/")
}

fn description(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.trim_end_matches('.');
    let mut letters = text.chars();
    let is_word = !text.starts_with('`');
    match letters.next().filter(|_| is_word && !starts_with_a_name(text)) {
        Some(first) => format!("{}{}", first.to_lowercase(), letters.as_str()),
        None => text.to_owned(),
    }
}

/// Kinds of Kubernetes, abbreviations and names of programs stay as they are.
fn starts_with_a_name(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    ["Cluster", "Clusters", "CNI", "Kubernetes", "URL"].contains(&first)
}

/// The type of a field that is no reference; null beside it says that it may be absent.
fn kind(schema: &Value) -> &str {
    let several = schema["type"].as_array().into_iter().flatten();
    let mut all = several.chain(std::iter::once(&schema["type"])).filter_map(Value::as_str);
    all.find(|kind| *kind != "null").unwrap_or_default()
}

fn plural(form: &str) -> String {
    if form.starts_with(['[', '`']) || form == "any" { form.to_owned() } else { format!("{form}s") }
}
