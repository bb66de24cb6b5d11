//! A fault proxy: plain HTTP on loopback in front of a real API server, which it talks to as the
//! administrator.
//!
//! Both proxies of a pair share one [`Traffic`]: it numbers the writes of the program under test over
//! both clusters, keeps a log of them, knows after each write which Clusters are paused where, and
//! holds the rules by which faults happen. The program needs no change for that, only another
//! kubeconfig.

mod call;
mod fault;
mod hostile;
pub(crate) mod http;
mod server;
mod timeline;
mod traffic;

pub use call::{Call, Side};
pub use fault::{Fault, Rule};
pub use hostile::Hostility;
pub use server::{Proxy, one_sided};
pub use timeline::{Activity, Timeline};
pub use traffic::{Traffic, Write};
