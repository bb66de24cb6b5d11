//! Holding the controllers of a side still by Kubernetes' own means: the run takes the
//! leader-election Leases of the providers and deletes the pods that led. Their successors serve
//! webhooks and conversions, and wait for the Lease.
//!
//! It stops controllers that ignore a pause, too. Nothing is scaled: the same process answers to
//! webhooks. When a run dies, its Leases run out, and the controllers come back by themselves.
//!
//! `manager` finds the managers and their Leases, `look` reads what that needs, `leases` writes one
//! Lease, `hold` takes and keeps those of a side.

mod hold;
mod leases;
mod look;
mod manager;

pub(super) use hold::{Hold, give_back_all, held_by};
pub(super) use look::{look, namespaces};
pub(super) use manager::{Election, Manager};
