//! The steps, one file each: what it does, and what it would do.

mod addons;
mod apply_cluster;
mod bootstrap;
mod control_plane;
mod delete_bootstrap;
mod expected;
mod init_bootstrap;
mod init_target;
mod kubeconfig;
pub(super) mod left;
mod merge_kubeconfig;
mod move_cluster;
mod network;
mod nodes;
mod preflight;
mod table;
mod target_providers;
mod verify;

pub(super) use control_plane::the_cluster;
pub(super) use delete_bootstrap::{clusters_left, finish, is_begun};
pub(super) use move_cluster::{between as move_between, new_move};
pub(crate) use network::is_by_addon;
pub(super) use preflight::check_plugins;
pub(super) use table::{Definition, TABLE, perform, sketch};
