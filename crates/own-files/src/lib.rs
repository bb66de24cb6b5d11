//! Files that this program relies on: which of them nobody else can change, making such that nobody
//! else can read, and reading no more of one than expected.

#[cfg(unix)]
mod groups;
mod permissions;
#[cfg(unix)]
pub mod private;
mod regular;

pub use permissions::{PermissionProblem, check_file, check_folders, check_place};
pub use regular::{Links, open, read, read_open};
