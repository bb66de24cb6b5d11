//! Servers that write down who comes to them and how: by TLS or not, through which proxy, with
//! which credentials. What two clients make of the same kubeconfig can be compared by it.

mod authority;
mod listen;
mod pipe;
mod seen;

pub use authority::{Authority, Issued, Kind};
pub use listen::{Certificates, Recorder};
pub use seen::Seen;
