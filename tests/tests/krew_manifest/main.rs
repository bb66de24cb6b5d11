//! `krew-manifest.yaml` against the rules of krew (`internal/index/validation`) and of its index,
//! and archives against krew itself.

mod install;
mod workflows;

use std::collections::BTreeSet;

use kubectl_pivot_dist::{Manifest, TARGETS, UNRELEASED};
use serde_json::Value;

const MANIFEST: &str = include_str!("../../../krew-manifest.yaml");

fn manifest() -> Value {
    serde_saphyr::from_str(MANIFEST).expect("valid YAML")
}

fn platforms(manifest: &Value) -> &[Value] {
    manifest["spec"]["platforms"].as_array().expect("a list of platforms")
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} is not a string in {value}"))
}

#[test]
fn it_is_a_plugin_named_pivot() {
    let manifest = manifest();
    assert_eq!(text(&manifest, "apiVersion"), "krew.googlecontainertools.github.com/v1alpha2");
    assert_eq!(text(&manifest, "kind"), "Plugin");
    assert_eq!(manifest["metadata"], serde_json::json!({"name": "pivot"}));
}

#[test]
fn only_fields_that_krew_knows_are_used() {
    let manifest = manifest();
    only(&manifest, &["apiVersion", "kind", "metadata", "spec"]);
    let spec = ["version", "homepage", "shortDescription", "description", "caveats", "platforms"];
    only(&manifest["spec"], &spec);
    for platform in platforms(&manifest) {
        only(platform, &["selector", "uri", "sha256", "bin", "files"]);
    }
}

#[test]
fn the_version_is_the_workspaces() {
    let manifest = manifest();
    let version = text(&manifest["spec"], "version");
    let number = version.strip_prefix('v').expect("krew wants a `v` in front");
    semver::Version::parse(number).expect("a semantic version");
    assert_eq!(number, env!("CARGO_PKG_VERSION"));
}

#[test]
fn the_descriptions_fit_the_lists_of_krew() {
    let manifest = manifest();
    let short = text(&manifest["spec"], "shortDescription");
    assert!(!short.is_empty() && short.chars().count() <= 50, "{short}");
    assert!(!short.contains(['\r', '\n']) && !short.ends_with('.'), "{short}");
    for field in ["description", "caveats"] {
        for line in text(&manifest["spec"], field).lines() {
            assert!(line.chars().count() <= 80, "{field} is shown as it is: {line}");
        }
    }
    assert!(text(&manifest["spec"], "homepage").starts_with("https://"));
}

#[test]
fn every_platform_is_selected_once_and_complete() {
    let manifest = manifest();
    let version = text(&manifest["spec"], "version");
    let mut selected = BTreeSet::new();
    for platform in platforms(&manifest) {
        let labels = &platform["selector"]["matchLabels"];
        only(labels, &["os", "arch"]);
        let (os, arch) = (text(labels, "os"), text(labels, "arch"));
        assert!(selected.insert((os, arch)), "{os}/{arch} twice");

        let uri = text(platform, "uri");
        assert!(uri.starts_with("https://") && uri.ends_with(".tar.gz"), "{uri}");
        assert!(uri.contains(&format!("/{version}/")), "{uri} is of another version");
        let triple = TARGETS.iter().find(|target| (target.os, target.arch) == (os, arch));
        let triple = triple.expect("a target of releases").triple;
        assert!(uri.ends_with(&format!("-{triple}.tar.gz")), "{uri} is of another platform");
        assert_eq!(text(platform, "bin"), "kubectl-pivot");
    }
    let all = [("darwin", "amd64"), ("darwin", "arm64"), ("linux", "amd64"), ("linux", "arm64")];
    assert_eq!(selected, all.into());
}

#[test]
fn digests_are_well_formed_and_all_filled_in_or_none() {
    let manifest = manifest();
    let digests: Vec<&str> = platforms(&manifest).iter().map(|p| text(p, "sha256")).collect();
    for digest in &digests {
        let is_hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
        assert!(digest.len() == 64 && digest.chars().all(is_hex), "{digest}");
    }
    if digests.contains(&UNRELEASED) {
        assert!(
            digests.iter().all(|digest| *digest == UNRELEASED),
            "some are missing: {digests:?}"
        );
    } else {
        let different: BTreeSet<&str> = digests.iter().copied().collect();
        assert_eq!(different.len(), digests.len(), "two archives with one digest: {digests:?}");
    }
}

#[test]
fn the_manifests_of_the_repository_are_those_that_a_release_writes() {
    let manifest = manifest();
    let digests: Vec<_> =
        platforms(&manifest).iter().map(|one| text(one, "sha256").to_owned()).collect();
    let expected = Manifest {
        digests: digests.try_into().expect("one for each target"),
        ..Manifest::unreleased(env!("CARGO_PKG_VERSION"))
    };
    assert_eq!(MANIFEST, expected.text(), "run `.ci/run dist manifest`");
    let index = include_str!("../../../plugins/pivot.yaml");
    assert_eq!(index, MANIFEST, "this repository is an index of krew");
}

fn only(value: &Value, known: &[&str]) {
    for field in value.as_object().expect("a map").keys() {
        assert!(known.contains(&field.as_str()), "{field} is unknown to krew");
    }
}
