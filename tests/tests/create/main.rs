//! `kubectl pivot create` from nothing to the end, without Docker.
//!
//! Real: API servers and etcd, Cluster API's CRDs, clusterctl with a local repository, the plugins, the
//! move. Stood in: kind (`stand-in-kind`, whose clusters are local control planes), and kubelets and
//! controllers (`understudy`).

mod stage;
mod whole;

use std::process::ExitCode;

use kubectl_pivot_tests::suite::Suite;

fn main() -> ExitCode {
    Suite::new(|| Box::pin(stage::Stage::set()))
        .case("all_steps_from_nothing", whole::all_steps_from_nothing)
        .case("the_outline_changes_nothing", whole::the_outline_changes_nothing)
        .run()
}
