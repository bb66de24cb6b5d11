//! What can fail in the sandbox, and what to do about it: one type for each layer.

mod control_plane;
mod parts;
mod sandbox;

pub use control_plane::ControlPlaneError;
pub use parts::PartsError;
pub use sandbox::SandboxError;
