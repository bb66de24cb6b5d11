//! The JSON Schemas in `schemas/` are those of the types.

use std::fs;
use std::path::Path;

use kubectl_pivot_plugin_api::schema::schemas;

#[test]
fn the_schemas_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let update = std::env::var_os("UPDATE_SCHEMAS").is_some();
    for (name, schema) in schemas() {
        let mut expected = serde_json::to_string_pretty(&schema).expect("a schema is plain data");
        expected.push('\n');
        let file = folder.join(format!("{name}.json"));
        if update {
            fs::write(&file, &expected).expect("the folder of the schemas is writable");
        }
        let found = fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(
            found, expected,
            "{name}.json is not current: run the tests once with UPDATE_SCHEMAS=1"
        );
    }
    let files = fs::read_dir(&folder).expect("the folder of the schemas exists").count();
    assert_eq!(files, schemas().len(), "there is a file that belongs to no message");
}

#[test]
fn the_module_in_go_speaks_this_protocol() {
    let source = include_str!("../go/plugin.go");
    let expected = format!("const Protocol = \"{}\"\n", kubectl_pivot_plugin_api::PROTOCOL);
    assert!(source.contains(&expected), "plugin-api/go/plugin.go speaks another protocol");
}
