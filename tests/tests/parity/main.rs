//! Two sources with the same content, one moved by the real clusterctl and one by us: the targets
//! and what is left in the sources must be the same, but for the deviations that are stated.

mod alike;
mod cases;
mod differing;
mod directory;
mod graphs;

use std::process::ExitCode;

use kubectl_pivot_tests::deviation::{ALL, DEVIATIONS};
use kubectl_pivot_tests::suite::Suite;
use kubectl_pivot_tests::twins::{Fixture, Twins};

/// State that the cases share.
struct Parity {
    // Dropped in this order: the control planes before their folder.
    twins: Twins,
    fixture: Fixture,
}

fn main() -> ExitCode {
    let suite = cases::add(Suite::new());
    let suite = differing::add(suite);
    let suite = directory::add(suite);
    let suite = graphs::add(suite);
    let suite = cases::add_global(suite);
    for deviation in DEVIATIONS.iter().filter(|deviation| deviation.case != ALL) {
        assert!(suite.names().any(|name| name == deviation.case), "no case shows {deviation:?}");
    }
    suite.run(|| {
        Box::pin(async {
            let fixture = Fixture::set().await;
            Parity { twins: fixture.twins().await, fixture }
        })
    })
}
