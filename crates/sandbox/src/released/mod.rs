//! Parts that projects have released: etcd and kube-apiserver from the archives of envtest,
//! kube-controller-manager from the downloads of Kubernetes, CRDs from the manifests of Cluster
//! API. Minutes less than building them.
//!
//! Everything is checked before it is used: programs by the checksums that are published with them,
//! CRDs by those of the same CRDs in the Go modules, which this program has in itself.

mod archive;
mod crds;
mod download;
mod error;
mod fetch;
mod index;
mod places;

pub use error::DownloadError;
pub(super) use fetch::{FetchError, cached, fetch, fetch_crds};
pub use places::Mirror;
pub(super) use places::Places;
