//! Four small models of the protocol, explored to the end.
//!
//! Each takes its phases and its allowed writes from the crate, as the program does. `cargo test -p
//! kubectl-pivot-protocol --test models -- --nocapture` prints the states of each model, and for
//! every rule that a mutant leaves out the shortest way to a violation. There the source is side 0
//! and the target side 1; the objects `K`, `C`, `M` and `L` of `unit` are 0 to 3.
//!
//! - [`locks`]: two runners, the pair of Leases, requests that arrive late.
//! - [`unit`]: one unit among controllers, garbage collectors and a GitOps tool.
//! - [`batches`]: two units in batches, with a shared object of each sort.
//! - [`replaced`]: a run that was left, until its source is deleted or works again.
//!
//! The properties have the same numbers in all models:
//!
//! | property | promise |
//! |---|---|
//! | P1 | never active twice: at no instant do controllers of both sides work on one Cluster; copies are inert until the source is gone |
//! | P2 | nothing is lost: every object is in the source and not terminating, or in the target under the recorded uid and not terminating |
//! | P3 | no machine is lost: no enabled controller sees a deletion timestamp on an object that still has its finalizer |
//! | P4 | after a take-over, or after the end of the run, a request from before has no effect, except a create, which is inert |
//! | P5 | an edit in the source after the verification is in the target, or still in the source |
//! | P6 | each write belongs to its phase: no deletion in the source before the commit, none in the target but in a rollback |
//! | P7 | a rollback that has started never turns into a commit |
//! | P8 | what a later run pauses stays paused |
//! | P9 | nothing new comes of a move: no Machine is created, and a source that was rolled back is as unpaused as before |
//! | P10 | an allocating object serves the Clusters of one side only |
//! | P11 | the controller of a selecting object creates nothing for a unit in flight |
//! | L1 | from every reachable state a fresh runner alone, among the controllers that there are, ends the run within a bound of steps; where another writer has changed the source it may stop and name the object |
//! | L2 | until the copies are handed over a fresh runner alone can roll the run back |
//!
//! L1 and L2 are invariants: each state is run forward by its only runner. The checker's own
//! `eventually` misses cycles, and a livelock is a cycle.

mod batches;
mod explore;
mod locks;
mod replaced;
mod unit;
