//! The network of the target: by helm, by manifests, or by the Helm add-on provider.

mod addon;
mod choice;
mod helm;
mod install;
mod release;

pub(super) use choice::{chosen, unknown_endpoint};
pub(super) use helm::{find_chart, show_chart};
pub(super) use install::{perform, sketch};
