//! Helpers of several steps: applying, waiting, probes, kind, marks, inspecting failures.

pub(super) mod apply;
pub(super) mod claim;
pub(super) mod clusters;
pub(super) mod images;
pub(super) mod inspect;
pub(super) mod kind;
pub(super) mod kind_config;
pub(super) mod limits;
pub(super) mod mark;
pub(super) mod moved;
pub(super) mod namespaces;
pub(super) mod probes;
pub(super) mod providers;
pub(super) mod reach;
pub(super) mod taken;
pub(super) mod template;
pub(super) mod versions;
pub(super) mod wait;
