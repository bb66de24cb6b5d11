//! Objects from the template of a provider, which the real clusterctl fills in.

mod against;
mod error;
mod generate;
mod kept;

pub use error::TemplateError;
pub use generate::Clusterctl;
pub(crate) use generate::{About, Generated};
pub use kept::KeptTemplate;
