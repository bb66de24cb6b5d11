//! The folder of a user's state: backups, journals, sandboxes.

use std::env;
use std::path::PathBuf;

/// `KUBECTL_PIVOT_STATE_DIR`, else `kubectl-pivot` in the user's state folder; `None` without HOME.
pub fn state_folder() -> Option<PathBuf> {
    let named = env::var_os("KUBECTL_PIVOT_STATE_DIR").filter(|value| !value.is_empty());
    let default = || dirs::state_dir().or_else(dirs::data_local_dir);
    named.map(PathBuf::from).or_else(|| default().map(|folder| folder.join("kubectl-pivot")))
}
