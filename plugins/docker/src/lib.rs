//! Docker infrastructure plugin.
