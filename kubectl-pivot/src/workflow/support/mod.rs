//! Helpers of several steps: applying, waiting, probes, marks, inspecting failures.

pub(super) mod apply;
pub(super) mod inspect;
pub(super) mod mark;
pub(super) mod probes;
pub(super) mod providers;
pub(super) mod wait;
