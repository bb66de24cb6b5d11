//! Documents that the program prints, held against the schemas of the reference by a validator that
//! knows nothing of the types.

use std::collections::HashMap;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

thread_local! {
    static KNOWN: Known = Known::read();
}

struct Known {
    schemas: Schemas,
    by_kind: HashMap<&'static str, SchemaIndex>,
}

impl Known {
    fn read() -> Self {
        let mut schemas = Schemas::new();
        let by_kind = kubectl_pivot::schemas::schemas().into_iter().map(|(kind, schema)| {
            let place = format!("kind:{kind}");
            let mut compiler = Compiler::new();
            compiler.add_resource(&place, closed(schema)).expect("a name of its own");
            let index = compiler.compile(&place, &mut schemas);
            (kind, index.unwrap_or_else(|error| panic!("the schema of {kind}: {error:#}")))
        });
        let by_kind = by_kind.collect();
        Self { schemas, by_kind }
    }
}

/// Refuses fields that the reference does not know: readers may not, but these tests have to.
fn closed(mut schema: Value) -> Value {
    if schema["properties"].is_object() {
        schema["unevaluatedProperties"] = false.into();
    }
    schema
}

/// Checks a document against the schema of its kind; documents without a schema are let through.
///
/// # Panics
/// When it does not fit.
pub fn check(document: &Value) {
    let name = match document.get(0) {
        Some(first) if first.get("violations").is_some() => "Checks",
        Some(first) if first.get("directory").is_some() => "Backups",
        _ => document["kind"].as_str().unwrap_or_default(),
    };
    KNOWN.with(|known| {
        let Some(index) = known.by_kind.get(name) else { return };
        let checked = known.schemas.validate(document, *index);
        checked
            .unwrap_or_else(|error| panic!("no {name} of the reference: {error:#}\n{document:#}"));
    });
}
