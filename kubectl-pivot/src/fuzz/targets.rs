//! Targets that the library shows to everybody; those of the modules are beside them.

use std::fs;
use std::path::PathBuf;

use kubectl_pivot_plugin_host::Sidecar;
use tempfile::TempDir;

use super::fuzz;
use crate::causes::in_one_line;
use crate::cluster::KubeconfigRef;
use crate::tools::Redactor;
use crate::transfer::Record;
use crate::workflow::read_document;
use crate::{visible, yaml};

/// A file to be read again and again.
struct Place {
    path: PathBuf,
    _folder: TempDir,
}

impl Place {
    fn of(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        Self { path: folder.path().join(name), _folder: folder }
    }

    fn write(&self, text: &[u8]) {
        fs::write(&self.path, text).expect("the folder is ours");
    }
}

#[test]
fn fuzz_kubeconfigs() {
    let place = Place::of("kubeconfig");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    fuzz("kubeconfigs", |text| {
        place.write(text);
        if let Err(error) = runtime.block_on(KubeconfigRef::file(&place.path).load()) {
            assert!(!in_one_line(&error).is_empty());
        }
    });
}

#[test]
fn fuzz_records() {
    fuzz("records", |text| {
        let text = String::from_utf8_lossy(text);
        let Ok(record) = Record::parse(&text) else { return };
        assert!(!record.run.contains(['/', '.']), "files are called after runs: {}", record.run);
        assert!(record.namespace.iter().all(|namespace| !namespace.contains('/')));
        assert_eq!(Record::parse(&record.to_text()).expect("it was read before"), record);
    });
}

#[test]
fn fuzz_documents() {
    let place = Place::of("pivot.yaml");
    fuzz("documents", |text| {
        place.write(text);
        let _ = read_document(&place.path);
        let _ = yaml::secret_document(&String::from_utf8_lossy(text));
    });
}

#[test]
fn fuzz_sidecars() {
    let place = Place::of("libfoo.plugin.json");
    let library = place.path.with_file_name("libfoo.so");
    fuzz("sidecars", |text| {
        place.write(text);
        let _ = Sidecar::read(&library);
    });
}

/// A secret that was learnt is in no line of a text, wherever it stood.
#[test]
fn fuzz_redactor() {
    fuzz("texts", |text| {
        let text = String::from_utf8_lossy(text).into_owned();
        let secret = "hunter2-CANARY-secret";
        let mut redactor = Redactor::default();
        redactor.add(secret);
        let half = text.floor_char_boundary(text.len() / 2);
        let (before, behind) = text.split_at(half);
        let clean = redactor.text(&format!("{before}{secret}{behind}"));
        assert!(!clean.contains(secret), "{clean:?}");
        assert!(!redactor.holds_secret(&clean));
    });
}

#[test]
fn fuzz_sanitizer() {
    fuzz("texts", |text| {
        let text = String::from_utf8_lossy(text).into_owned();
        let is_obeyed = |c: char| c != '\t' && visible::is_obeyed(c);
        assert!(!visible::one_line(&text).chars().any(is_obeyed));
        assert!(!visible::lines(&text).chars().any(|c| c != '\n' && is_obeyed(c)));
        let word = visible::shell_word(&text);
        assert!(!word.chars().any(is_obeyed), "{word:?}");
        let is_quoted = word.starts_with('\'') && word.ends_with('\'');
        assert!(is_quoted || word.chars().all(|c| !" ;|&$`<>(){}*?!~#\"\\".contains(c)), "{word}");
        let json = serde_json::Value::from(text.as_str());
        let shown = visible::json(&json.to_string());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).expect("JSON"), json);
        // Output keeps the colours of the program; what is safe once stays as it is.
        let output = visible::output(&text);
        assert_eq!(visible::output(&output), output);
    });
}
