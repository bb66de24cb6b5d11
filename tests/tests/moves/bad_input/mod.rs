//! Bad input of a move: each has a clear message, and the source stays exactly
//! as it was, unpaused.

mod access;
mod admission;
mod bench;
mod clusters;
mod command_line;
mod content;
mod left_behind;
mod lost_parts;
mod no_inventory;
mod untrusted;

use kubectl_pivot_tests::suite::Suite;

pub(crate) use self::bench::Bench;

pub(crate) fn suite() -> Suite<Bench> {
    let suite = command_line::add(Suite::new());
    let suite = clusters::add(suite);
    let suite = access::add(suite);
    let suite = content::add(suite);
    let suite = left_behind::add(suite);
    let suite = lost_parts::add(suite);
    let suite = no_inventory::add(suite);
    let suite = untrusted::add(suite);
    admission::add(suite)
}
