//! Errors of the sandbox, with hints: one type for each layer.

mod control_plane;
mod file;
mod parts;
mod sandbox;

pub use control_plane::ControlPlaneError;
pub use file::FileError;
pub use parts::PartsError;
pub use sandbox::SandboxError;
