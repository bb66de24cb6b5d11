//! The list of backups for people.

use super::kubectl_table::align;
use crate::commands::FoundBackup;

/// One line for each backup.
pub fn backups(found: &[FoundBackup]) -> String {
    if found.is_empty() {
        return "No backups found\n".to_owned();
    }
    let headings = ["RUN", "TIME", "NAMESPACE", "CLUSTERS", "OBJECTS", "SERVER", "DIRECTORY"];
    let mut lines = vec![headings.map(str::to_owned).to_vec()];
    lines.extend(found.iter().map(|backup| {
        vec![
            backup.run.clone(),
            backup.time.clone(),
            backup.namespace.clone().unwrap_or_else(|| "<all>".to_owned()),
            backup.clusters.to_string(),
            backup.objects.to_string(),
            backup.server.clone(),
            backup.directory.display().to_string(),
        ]
    }));
    align(&lines)
}
