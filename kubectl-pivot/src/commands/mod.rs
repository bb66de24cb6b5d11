//! What each subcommand does, one file each. Commands return values; `render` prints them.

mod clusters;
mod demo;
mod error;
mod move_clusters;
mod sandbox;
mod status;

pub use demo::{DemoOptions, DemoStage, demo};
pub use error::{CommandError, exit};
pub use move_clusters::{Directory, MoveRequest, connect, find_clusters_elsewhere, move_clusters};
pub use sandbox::{SandboxUpRequest, sandbox_down, sandbox_list, sandbox_up};
pub use status::{ClusterStatus, PausedCluster, RunStatus, Status, status};
