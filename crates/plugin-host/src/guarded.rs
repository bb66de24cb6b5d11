//! Reading what grants trust or is run: files that only the user and root could have changed.

use std::io;
use std::path::Path;

use own_files::{self as own_files, Links, PermissionProblem};

/// The reason why a file is not relied on.
#[derive(Debug)]
pub(super) enum GuardedError {
    /// It cannot be read.
    Io(io::Error),
    /// Someone else could have changed it.
    Permissions(PermissionProblem),
}

impl From<io::Error> for GuardedError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads a regular file of at most `limit_bytes` which only the user and root could have changed.
///
/// Links are resolved first, the real file is opened once, and what is judged and read is that open
/// file. To put another in its place, somebody would have to write to one of the folders above it.
///
/// # Errors
/// It cannot be read, or somebody else could have changed it.
pub(super) fn read(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, GuardedError> {
    let real = path.canonicalize()?;
    let (file, metadata) = own_files::open(&real, Links::Refused)?;
    own_files::check_file(&real, &metadata).map_err(GuardedError::Permissions)?;
    Ok(own_files::read_open(&file, &metadata, limit_bytes)?)
}
