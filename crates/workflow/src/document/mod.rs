//! `pivot.yaml`: what to create, as a versioned document. Flags override it field by field.

mod fields;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod kept;
mod read;
mod scalars;

pub use fields::{Bootstrap, CniVia, PivotDocument, PivotMetadata, PivotSpec};
pub use kept::{DEFAULT_NAMESPACE, KeptBootstrap, default_bootstrap_name, read_bootstrap};
pub use read::{DocumentError, read_document, write_document};
pub use scalars::{
    API_VERSION, KIND, chart_repository, cluster_name, kind_cluster_name, kubernetes_version,
    namespace_name, provider,
};
