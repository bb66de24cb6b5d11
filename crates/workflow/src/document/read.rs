//! Reading the document, with line and column in every error.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use support::yaml;

use super::fields::PivotDocument;

/// Errors of a document.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// It says something that this program does not understand.
    #[error("{}: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The problem, with line and column.
        message: String,
    },
}

/// Reads a document. Paths in it are relative to its folder.
///
/// # Errors
/// When it cannot be read, is no YAML, or has a field or value that is not known.
pub fn read_document(path: &Path) -> Result<PivotDocument, DocumentError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| DocumentError::Read { path: path.to_owned(), source })?;
    let mut document: PivotDocument = parse(&text)
        .map_err(|message| DocumentError::Invalid { path: path.to_owned(), message })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    for file in document.spec.paths_mut() {
        *file = folder.join(&*file);
    }
    Ok(document)
}

pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let options = serde_saphyr::options! {
        legacy_octal_numbers: true,
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::Error,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let text = error.to_string();
        match error.location() {
            Some(at) if !text.contains("line") => {
                format!("line {}, column {}: {text}", at.line(), at.column())
            }
            _ => text,
        }
    })
}

/// Returns the text of a document, which [`read_document`] reads back as it is if its paths are
/// absolute.
///
/// # Errors
/// When it would not: a field has a value that its flag or its line in a document refuses.
pub fn write_document(document: &PivotDocument) -> Result<String, String> {
    let value = serde_json::to_value(document).map_err(|error| error.to_string())?;
    let text = yaml::document(&value);
    let read: PivotDocument = parse(&text)?;
    match read == *document {
        true => Ok(text),
        false => Err("it would be read as something else".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::document::fields::{Bootstrap, CniVia, PivotMetadata, PivotSpec};
    use crate::document::scalars;

    fn parse(text: &str) -> Result<PivotDocument, String> {
        super::parse(text)
    }

    const HEAD: &str = "apiVersion: kubectl-pivot.io/v1alpha1\nkind: Pivot\n";

    #[test]
    fn a_whole_document() {
        let document = parse(&format!(
            "{HEAD}metadata:\n  name: pivot\nspec:\n  infrastructure: docker\n  workerReplicas: \
             3\n  podCidr: [10.0.0.0/8]\n  bootstrap: existing\n  set: {{a: 1, b: [x]}}\n"
        ));
        let document = document.expect("valid");
        assert_eq!(document.metadata.name.as_deref(), Some("pivot"));
        assert_eq!(document.spec.worker_replicas, Some(3));
        assert_eq!(document.spec.bootstrap, Some(Bootstrap::Existing));
        assert_eq!(document.spec.set["b"], json!(["x"]));
    }

    #[test]
    fn errors_have_a_position() {
        let mut wrong = Vec::new();
        for (text, what, line, column) in [
            ("apiVersion: v1\nkind: Pivot\n", "apiVersion is `v1`", 1, 13),
            ("apiVersion: kubectl-pivot.io/v1alpha1\nkind: Move\n", "kind is `Move`", 2, 7),
            (&format!("{HEAD}metadata:\n  name: Not_A_Name\n"), "is not a valid name", 4, 9),
            (&format!("{HEAD}spec:\n  workerReplicas: many\n"), "invalid u32", 4, 19),
            (
                &format!("{HEAD}spec:\n  kubernetesVersion: latest\n"),
                "not a Kubernetes version",
                4,
                22,
            ),
            (&format!("{HEAD}spec:\n  bootstrap: minikube\n"), "minikube", 4, 14),
            (&format!("{HEAD}spec:\n  workers: 3\n"), "unknown field", 4, 3),
            (&format!("{HEAD}spec:\n  cni: a\n  cni: b\n"), "duplicate", 5, 3),
            (&format!("{HEAD}spec: [\n"), "", 0, 0),
        ] {
            let error = parse(text).expect_err(text);
            let position = format!("line {line}, column {column}");
            let is_told = error.contains(what) && (line == 0 || error.contains(&position));
            if !is_told {
                wrong.push(format!("{text}: {error} lacks {what} or {position}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn paths_are_relative_to_the_document() {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = dir.path().join("pivot.yaml");
        std::fs::write(
            &path,
            format!("{HEAD}spec:\n  clusterManifest: cluster.yaml\n  cniManifest: /x\n"),
        )
        .expect("written");
        let spec = read_document(&path).expect("valid").spec;
        assert_eq!(spec.cluster_manifest, Some(dir.path().join("cluster.yaml")));
        assert_eq!(spec.cni_manifest, Some("/x".into()));
    }

    proptest! {
        /// A run whose settings cannot be read could be neither resumed nor aborted.
        #[test]
        fn a_written_document_is_read_back(
            name in ".{0,12}|[a-z][a-z0-9-]{0,5}[a-z0-9]",
            namespace in proptest::option::of("[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?|.{0,6}"),
            version in proptest::option::of("v?1\\.[0-9]{1,2}\\.[0-9]|.{0,6}"),
            bootstrap_name in proptest::option::of("[a-z0-9]([a-z0-9.-]{0,5}[a-z0-9])?|.{0,6}"),
            text in ".{0,20}",
            path in "/.{0,12}",
            number in any::<u32>(),
        ) {
            let document = PivotDocument {
                metadata: PivotMetadata { name: Some(name), namespace },
                spec: PivotSpec {
                    infrastructure: Some(text.clone()),
                    kubernetes_version: version,
                    bootstrap_name,
                    worker_replicas: Some(number),
                    cluster_manifest: Some(path.into()),
                    set: [(text.clone(), json!(text)), ("n".to_owned(), json!(number))].into(),
                    timeout: Some(u64::from(number)),
                    ..PivotSpec::default()
                },
                ..PivotDocument::default()
            };
            let dir = tempfile::tempdir().expect("temp dir");
            let file = dir.path().join("pivot.yaml");
            // What the parsers of the flags take is always written.
            let is_taken = {
                let (meta, spec) = (&document.metadata, &document.spec);
                let takes = |value: &Option<String>, parse: fn(&str) -> Result<String, String>| {
                    value.as_deref().is_none_or(|v| parse(v).as_deref() == Ok(v))
                };
                takes(&meta.name, scalars::cluster_name)
                    && takes(&meta.namespace, scalars::namespace_name)
                    && takes(&spec.kubernetes_version, scalars::kubernetes_version)
                    && takes(&spec.bootstrap_name, scalars::kind_cluster_name)
            };
            match write_document(&document) {
                Ok(text) => {
                    std::fs::write(&file, text).expect("written");
                    prop_assert_eq!(read_document(&file).expect("it was written"), document);
                    prop_assert!(is_taken);
                }
                Err(why) => prop_assert!(!is_taken, "{why}"),
            }
        }
    }

    /// Every field has a value that is not the default.
    fn whole() -> PivotDocument {
        let text = || Some("a".to_owned());
        let path = || Some("/a".into());
        PivotDocument {
            metadata: PivotMetadata { name: text(), namespace: text() },
            spec: PivotSpec {
                infrastructure: text(),
                kubernetes_version: Some("v1.33.0".to_owned()),
                control_plane_replicas: Some(1),
                worker_replicas: Some(1),
                pod_cidr: vec!["10.0.0.0/8".to_owned()],
                service_cidr: vec!["10.0.0.0/8".to_owned()],
                set: [("a".to_owned(), json!(1))].into(),
                provider: vec!["infrastructure=docker".to_owned()],
                cluster_manifest: path(),
                cni: text(),
                cni_via: Some(CniVia::Addon),
                cni_chart: path(),
                cni_repo: Some("https://a.example.org".to_owned()),
                cni_values: path(),
                cni_manifest: path(),
                bootstrap: Some(Bootstrap::Existing),
                bootstrap_name: text(),
                bootstrap_image: text(),
                kind_config: path(),
                load_image: vec!["a".to_owned()],
                image_bundle: vec!["/a".into()],
                bootstrap_kubeconfig: path(),
                keep_bootstrap: Some(true),
                clusterctl_config: path(),
                to_kubeconfig: path(),
                to_kubeconfig_out: path(),
                no_backup: Some(true),
                merge_kubeconfig: Some(true),
                skip_probes: vec!["a".to_owned()],
                timeout: Some(1),
                settle: Some(1),
            },
            ..PivotDocument::default()
        }
    }

    #[test]
    fn no_field_is_lost_between_flags_document_and_file() {
        let nothing = PivotDocument::default;
        assert_eq!(nothing().overridden_by(whole()), whole());
        assert_eq!(whole().overridden_by(nothing()), whole());
        let text = write_document(&whole()).expect("all of it is valid");
        assert_eq!(parse(&text), Ok(whole()));
    }

    #[test]
    fn flags_win_field_by_field() {
        let document = |spec| PivotDocument { spec, ..PivotDocument::default() };
        let file = document(PivotSpec {
            infrastructure: Some("docker".to_owned()),
            worker_replicas: Some(3),
            set: [("a".to_owned(), json!(1)), ("b".to_owned(), json!(1))].into(),
            ..PivotSpec::default()
        });
        let flags = document(PivotSpec {
            worker_replicas: Some(1),
            set: [("b".to_owned(), json!(2))].into(),
            ..PivotSpec::default()
        });
        let merged = file.overridden_by(flags).spec;
        assert_eq!(merged.infrastructure.as_deref(), Some("docker"));
        assert_eq!(merged.worker_replicas, Some(1));
        assert_eq!((&merged.set["a"], &merged.set["b"]), (&json!(1), &json!(2)));
    }
}
