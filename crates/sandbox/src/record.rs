//! The record of a sandbox on disk: `sandbox.json` in its folder.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{FileError, SandboxError};
use super::identity::Recorded;
use own_files::private;

/// The format that this program reads. Readers ignore fields that they do not know; the number goes
/// up only when ignoring them would be wrong: a program that does not know of controllers would not
/// end them.
const VERSION: u32 = 2;
/// The format of a sandbox without controllers, which older programs can read.
const WITHOUT_CONTROLLERS: u32 = 1;
const FILE: &str = "sandbox.json";

/// A sandbox that was started completely.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Record {
    version: u32,
    /// The clusters, the source first.
    pub(super) clusters: Vec<ClusterRecord>,
    /// Processes that work for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) controllers: Vec<ControllerRecord>,
}

/// A process that works for the clusters.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct ControllerRecord {
    /// For example `core-manager`.
    pub(super) name: String,
    /// The cluster that it works for; none if for all.
    pub(super) cluster: Option<String>,
    /// The log file.
    pub(super) log: PathBuf,
    /// The process.
    pub(super) process: Recorded,
}

/// One cluster of a sandbox.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct ClusterRecord {
    /// `source`, `target`, `cluster-3`, …
    pub(super) name: String,
    /// Context in the kubeconfig file.
    pub(super) context: String,
    /// URL of the API server.
    pub(super) url: String,
    /// Kubeconfig file of the administrator.
    pub(super) kubeconfig: PathBuf,
    /// The processes, the API server first: it is ended before its store.
    pub(super) processes: Vec<Recorded>,
}

impl Record {
    pub(super) fn new(clusters: Vec<ClusterRecord>, controllers: Vec<ControllerRecord>) -> Self {
        let version = if controllers.is_empty() { WITHOUT_CONTROLLERS } else { VERSION };
        Self { version, clusters, controllers }
    }

    /// All processes, in the order in which they are to be ended: controllers, API servers, stores.
    pub(super) fn in_order(&self) -> [Vec<Recorded>; 3] {
        let of_clusters = |index: usize| {
            self.clusters.iter().filter_map(|c| c.processes.get(index).cloned()).collect()
        };
        let controllers = self.controllers.iter().map(|one| one.process.clone()).collect();
        [controllers, of_clusters(0), of_clusters(1)]
    }

    /// Reads the record in a sandbox's folder; `None` if there is none.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, SandboxError> {
        let path = dir.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(FileError::of("read", path)(error).into()),
        };
        Self::parse(&text).map_err(|message| SandboxError::Record { path, message }).map(Some)
    }

    /// Writes the record into a sandbox's folder.
    pub(super) fn write(&self, dir: &Path) -> Result<(), SandboxError> {
        let path = dir.join(FILE);
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| FileError::of("write", &path)(error.into()))?;
        Ok(private::write(&path, text).map_err(FileError::of("write", path))?)
    }

    fn parse(text: &[u8]) -> Result<Self, String> {
        // The version first: a newer format need not look like ours at all.
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } =
            serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if version > VERSION {
            return Err(format!(
                "format {version} is of a newer kubectl-pivot, this one knows {VERSION}"
            ));
        }
        serde_json::from_slice(text).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let cluster = ClusterRecord {
            name: "source".into(),
            context: "demo-source".into(),
            url: "https://127.0.0.1:6443".into(),
            kubeconfig: "/s/source.kubeconfig".into(),
            processes: vec![Recorded { pid: 7, started: "12345".into() }],
        };
        Record::new(vec![cluster], Vec::new())
    }

    #[test]
    fn written_and_read() {
        let dir = tempfile::tempdir().expect("temp dir");
        assert_eq!(Record::read(dir.path()).expect("no record"), None);
        record().write(dir.path()).expect("write");
        assert_eq!(Record::read(dir.path()).expect("read"), Some(record()));
    }

    #[test]
    fn fields_of_later_versions_are_ignored_until_the_number_goes_up() {
        let mut value = serde_json::to_value(record()).expect("to json");
        assert_eq!(value["version"], 1);
        value["later"] = "x".into();
        assert_eq!(Record::parse(value.to_string().as_bytes()).expect("read"), record());
        let error = Record::parse(br#"{"version": 3, "nodes": []}"#).expect_err("newer");
        assert!(error.contains("newer kubectl-pivot"), "{error}");
    }

    #[test]
    fn a_program_that_would_not_end_the_controllers_cannot_read_the_record() {
        let controller = ControllerRecord {
            name: "relay".into(),
            cluster: None,
            log: "/s/relay.log".into(),
            process: Recorded { pid: 8, started: "12346".into() },
        };
        let record = Record::new(record().clusters, vec![controller]);
        let text = serde_json::to_vec(&record).expect("to json");
        assert_eq!(Record::parse(&text).expect("read"), record);
        assert_eq!(record.version, 2);
    }
}
