//! What several steps need: applying, waiting, probes, marks, looking at what went wrong.

pub(super) mod apply;
pub(super) mod inspect;
pub(super) mod mark;
pub(super) mod probes;
pub(super) mod providers;
pub(super) mod wait;
