//! Errors of the sandbox, with hints: one type for each layer.

mod control_plane;
mod parts;
mod sandbox;

pub use control_plane::ControlPlaneError;
pub use parts::PartsError;
pub use sandbox::SandboxError;
