//! The charts of the suite, and their repository.

use std::path::{Path, PathBuf};

use kubectl_pivot_tests::charts::{index, pack};

/// Chart that the plugin cilium installs by default.
pub const CILIUM: &str = "1.20.2";
/// A version that waits for a job of its own, which nobody runs here.
pub const WAITING: &str = "1.20.2-waiting";

/// Shows the values that it was given.
const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Chart.Name }}-config}\n\
    data:\n  values: {{ toJson .Values | quote }}\n";
const SCHEMA: &str = r#"{"type": "object", "properties": {"operator": {"type": "object",
    "properties": {"replicas": {"type": "integer", "maximum": 5}}}}}"#;
const JOB: &str = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {{ .Chart.Name }}-before\n  \
    annotations: {helm.sh/hook: 'pre-install,pre-upgrade'}\nspec:\n  template:\n    spec:\n      \
    restartPolicy: Never\n      containers: [{name: job, image: images.invalid/job}]\n";

/// Archives of the repository.
pub struct Archives {
    pub cilium: PathBuf,
    pub flannel: PathBuf,
}

/// Writes the repository.
pub fn write(helm: &Path, folder: &Path) -> Archives {
    let files = [("templates/config.yaml", CONFIG), ("values.schema.json", SCHEMA)];
    let cilium = pack(helm, folder, ("cilium", CILIUM), &files);
    pack(
        helm,
        folder,
        ("cilium", WAITING),
        &[files.as_slice(), &[("templates/job.yaml", JOB)]].concat(),
    );
    let flannel = pack(helm, folder, ("flannel", "v0.0.1"), &files);
    index(helm, folder);
    Archives { cilium, flannel }
}
