//! The bill of materials: every crate that is compiled into a target's binaries, as CycloneDX.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use crate::error::DistError;
use crate::source::{Source, list, text};
use crate::target::Target;

/// Returns the bill for the program and all plugins on one target.
///
/// It has no serial number and no time, so that two bills of the same sources are equal.
///
/// # Errors
/// cargo does not know the dependencies, or the lock file cannot be read.
pub fn bill_of_materials(source: &Source, target: Target) -> Result<Value, DistError> {
    let metadata = source.metadata(&["--filter-platform", target.triple])?;
    let packages: BTreeMap<&str, &Value> =
        list(&metadata["packages"]).map(|package| (text(&package["id"]), package)).collect();
    let mut roots: Vec<String> = vec!["kubectl-pivot".to_owned()];
    roots.extend(source.plugins()?.into_iter().map(|plugin| plugin.package));
    let is_root = |package: &Value| {
        package["source"].is_null() && roots.iter().any(|root| package["name"] == **root)
    };
    let roots = packages.iter().filter(|(_, package)| is_root(package)).map(|(id, _)| *id);
    let uses = used(&metadata, roots.collect());
    let checksums = checksums(source)?;
    let components = uses.keys().map(|id| component(packages[id], &checksums));
    let dependencies = uses.iter().map(|(id, uses)| {
        let uses: Vec<_> = uses.iter().map(|id| reference(packages[id])).collect();
        json!({"ref": reference(packages[id]), "dependsOn": uses})
    });
    Ok(json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {
            "type": "application",
            "bom-ref": target.stem(&source.version),
            "name": target.stem(&source.version),
            "version": source.version,
        }},
        "components": components.collect::<Vec<_>>(),
        "dependencies": dependencies.collect::<Vec<_>>(),
    }))
}

/// The packages that are reached from `roots`, each with those that it uses; what only tests use is
/// not.
fn used<'a>(metadata: &'a Value, mut open: Vec<&'a str>) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let nodes: BTreeMap<&str, &Value> =
        list(&metadata["resolve"]["nodes"]).map(|node| (text(&node["id"]), node)).collect();
    let mut used = BTreeMap::new();
    while let Some(id) = open.pop() {
        if used.contains_key(id) {
            continue;
        }
        let needed = |one: &&Value| list(&one["dep_kinds"]).any(|kind| kind["kind"] != "dev");
        let uses: BTreeSet<&str> = list(&nodes[id]["deps"])
            .filter(needed)
            .map(|dependency| text(&dependency["pkg"]))
            .collect();
        open.extend(&uses);
        used.insert(id, uses);
    }
    used
}

fn component(package: &Value, checksums: &BTreeMap<(String, String), String>) -> Value {
    let (name, version) = (text(&package["name"]), text(&package["version"]));
    let mut component = json!({
        "type": "library",
        "bom-ref": reference(package),
        "name": name,
        "version": version,
        "purl": reference(package),
    });
    if let Some(licence) = package["license"].as_str() {
        // Old manifests write `MIT/Apache-2.0`, which is no SPDX expression.
        let expression = licence.replace('/', " OR ");
        component["licenses"] = json!([{"expression": expression}]);
    }
    if let Some(sum) = checksums.get(&(name.to_owned(), version.to_owned())) {
        component["hashes"] = json!([{"alg": "SHA-256", "content": sum}]);
    }
    component
}

/// A package URL, which is unique in a bill: all packages are from one registry or of this
/// workspace.
fn reference(package: &Value) -> String {
    format!("pkg:cargo/{}@{}", text(&package["name"]), text(&package["version"]))
}

/// The checksums of the lock file, by name and version.
fn checksums(source: &Source) -> Result<BTreeMap<(String, String), String>, DistError> {
    let path = source.root.join("Cargo.lock");
    let lock = fs::read_to_string(&path).map_err(DistError::io("read", &path))?;
    let sums = lock.split("[[package]]").filter_map(|package| {
        let field = |name: &str| {
            let value = package.lines().find_map(|line| line.strip_prefix(name))?;
            Some(value.strip_prefix(" = ")?.trim_matches('"').to_owned())
        };
        Some(((field("name")?, field("version")?), field("checksum")?))
    });
    Ok(sums.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_names_what_is_linked_and_where_it_is_from() {
        let target = Target::host().expect("a target");
        let bill =
            bill_of_materials(&Source::here().expect("a workspace"), target).expect("cargo knows");
        let components: BTreeMap<&str, &Value> = list(&bill["components"])
            .map(|component| (text(&component["name"]), component))
            .collect();
        assert_eq!(text(&components["kube"]["hashes"][0]["content"]).len(), 64);
        assert_eq!(components["kubectl-pivot-plugin-docker"]["hashes"], Value::Null);
        for only_for_tests in ["proptest", "libtest-mimic", "kubectl-pivot-tests"] {
            assert!(!components.contains_key(only_for_tests), "{only_for_tests}");
        }
        for component in components.values() {
            assert!(component["licenses"].is_array(), "{component}");
        }
    }
}
