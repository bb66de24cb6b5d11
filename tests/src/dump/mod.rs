//! Comparing clusters: everything a cluster holds, with what must differ between twins taken out.
//!
//! [`RawDump`] is what the API server says, [`Dump`] its normal form, [`Difference`] one path at
//! which two normal forms differ.

mod diff;
mod garbage;
mod normal;
mod raw;

pub use diff::{Difference, diff, report};
pub use garbage::garbage;
pub use normal::{Dump, Normal, Uids};
pub use raw::{Kinds, RawDump, identity};
