//! JSON schemas of the documents that the program prints and reads: for the reference, for editors
//! and for tests. No part of the program: behind the feature `schema`.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};
use transfer::{Check, MovePlan, Report};
use workflow::{Outline, PivotDocument};

use crate::commands::{
    DeleteReport, Diagnosis, FoundBackup, OutdatedPlugins, PivotReport, PivotRuns, PluginCheck,
    PluginDetails, PluginList, ReplaceReport, Status,
};
use crate::render::ProgressLine;

/// Events that a journal keeps and that displays get in another form.
const NOT_SHOWN: [&str; 3] = ["phaseStarted", "phaseEnded", "progress"];

/// Returns the schema of each document by its `kind`; lists, which have none, by their contents.
pub fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        ("MoveReport", of_kind("MoveReport", printed::<Report>())),
        ("MoveStatus", of_kind("MoveStatus", printed::<Status>())),
        ("MovePlan", of_kind("MovePlan", printed::<MovePlan>())),
        ("ReplaceReport", of_kind("ReplaceReport", printed::<ReplaceReport>())),
        ("BackupManifest", of_kind("BackupManifest", manifest())),
        ("Pivot", of_kind("Pivot", read::<PivotDocument>())),
        ("PivotReport", of_kind("PivotReport", printed::<PivotReport>())),
        ("PivotOutline", of_kind("PivotOutline", printed::<Outline>())),
        ("PivotRunList", of_kind("PivotRunList", printed::<PivotRuns>())),
        ("DeleteReport", of_kind("DeleteReport", printed::<DeleteReport>())),
        ("Diagnosis", of_kind("Diagnosis", printed::<Diagnosis>())),
        ("Plugin", of_kind("Plugin", printed::<PluginDetails>())),
        ("PluginList", of_kind("PluginList", printed::<PluginList>())),
        ("PluginCheck", of_kind("PluginCheck", printed::<PluginCheck>())),
        ("OutdatedPluginList", of_kind("OutdatedPluginList", printed::<OutdatedPlugins>())),
        ("ProgressEvent", of_kind("ProgressEvent", events())),
        ("Checks", printed::<Vec<Check>>()),
        ("Backups", printed::<Vec<FoundBackup>>()),
    ]
}

/// The schema of a document as the program writes it.
fn printed<T: JsonSchema>() -> Value {
    schema::<T>(SchemaSettings::draft2020_12().for_serialize())
}

/// The schema of a document as the program reads it.
fn read<T: JsonSchema>() -> Value {
    schema::<T>(SchemaSettings::draft2020_12())
}

fn schema<T: JsonSchema>(settings: SchemaSettings) -> Value {
    let mut schema = settings.into_generator().into_root_schema_for::<T>().into();
    join_lines(&mut schema);
    schema
}

/// Joins the lines of descriptions, which end where those of comments do.
fn join_lines(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(text)) = fields.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            fields.values_mut().for_each(join_lines);
        }
        Value::Array(items) => items.iter_mut().for_each(join_lines),
        _ => {}
    }
}

/// Pins the fields that tell documents apart.
fn of_kind(kind: &str, mut schema: Value) -> Value {
    for (field, value) in [("kind", kind), ("apiVersion", workflow::API_VERSION)] {
        schema["properties"][field]["const"] = json!(value);
    }
    schema
}

/// The manifest, in a file and as a verified backup is printed with it.
fn manifest() -> Value {
    let mut schema = printed::<transfer::Contents>();
    let required = schema["required"].as_array_mut().expect("the manifest has such fields");
    required.retain(|field| ["kinds", "bytes", "objectsRead"].iter().all(|of| field != of));
    schema
}

fn events() -> Value {
    let mut schema = printed::<ProgressLine<'static>>();
    let of_runs = &mut schema["$defs"]["RunEvent"]["oneOf"];
    of_runs.as_array_mut().expect("one schema for each event").retain(|event| {
        let name = event["properties"]["event"]["const"].as_str();
        name.is_some_and(|name| !NOT_SHOWN.contains(&name))
    });
    schema
}
