//! The network of the target: by helm, by manifests, or by the Helm add-on provider.

mod addon;
mod choice;
mod endpoint;
pub(super) mod helm;
mod install;
mod release;

pub(super) use choice::chosen;
pub(crate) use choice::is_by_addon;
pub(super) use endpoint::endpoint;
pub(super) use helm::{find_chart, show_chart};
pub(super) use install::{perform, sketch};
