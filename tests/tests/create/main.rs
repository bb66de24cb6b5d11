//! `kubectl pivot create` from nothing to the end, without Docker.
//!
//! Real: API servers and etcd, Cluster API's CRDs, clusterctl with a local repository, the plugins,
//! the move. Stood in: kind (`stand-in-kind`, whose clusters are local control planes), and
//! kubelets and controllers (`simulated_controllers`). In the case of the module `real` the
//! controllers are the real ones.

mod aborts;
mod diagnosis;
mod existing;
mod failures;
mod fixture;
mod inspection;
mod kills;
mod kubeconfig;
mod laptop;
mod moving;
mod network;
mod probes;
mod real;
mod refusals;
mod removal;
mod replacing;
mod target;
mod templates;
mod whole;

use std::process::ExitCode;

use kubectl_pivot_tests::suite::Suite;

fn main() -> ExitCode {
    let suite = Suite::new().on_fixtures(2);
    aborts::add(kubeconfig::add(probes::add(suite)))
        .case("all_steps_from_nothing", whole::all_steps_from_nothing)
        .thorough("a_template_of_the_provider_makes_the_cluster", templates::makes_the_cluster)
        .case("a_management_cluster_is_deleted", removal::a_management_cluster_is_deleted)
        .thorough("a_deletion_killed_in_each_step_ends_the_same", removal::killed_in_each_step)
        .thorough(
            "a_management_cluster_is_replaced_by_one_that_is_created_first",
            replacing::the_new_one_is_created_first,
        )
        .case("the_outline_changes_nothing", whole::the_outline_changes_nothing)
        .thorough(
            "real_controllers_of_the_target_take_over",
            real::real_controllers_of_the_target_take_over,
        )
        .thorough(
            "of_an_existing_management_cluster_only_the_cluster_of_the_run_moves",
            existing::only_the_cluster_of_the_run_moves,
        )
        .thorough(
            "a_target_that_has_got_another_port_is_found_again",
            laptop::a_target_that_has_got_another_port_is_found_again,
        )
        .case("killed_in_some_steps_it_ends_the_same", kills::killed_in_some_steps)
        .thorough("killed_in_each_step_it_ends_the_same", kills::killed_in_each_step)
        .thorough("killed_at_some_writes_it_ends_the_same", kills::killed_at_some_writes)
        .thorough("killed_at_each_write_it_ends_the_same", kills::killed_at_each_write)
        .case(
            "unusable_programs_are_reported_before_anything_is_created",
            failures::unusable_programs_are_reported_before_anything_is_created,
        )
        .case(
            "create_validates_the_document_before_the_first_step",
            failures::create_validates_the_document_before_the_first_step,
        )
        .case("kind_fails_and_is_interrupted", failures::kind_fails_and_is_interrupted)
        .case(
            "a_kind_cluster_of_somebody_else_is_left_alone",
            failures::a_kind_cluster_of_somebody_else_is_left_alone,
        )
        .case(
            "providers_that_do_not_come_up_are_reported",
            failures::providers_that_do_not_come_up_are_reported,
        )
        .thorough(
            "a_target_that_does_not_answer_is_reported",
            failures::a_target_that_does_not_answer_is_reported,
        )
        .thorough(
            "a_bootstrap_cluster_with_clusters_is_not_deleted",
            failures::a_bootstrap_cluster_with_clusters_is_not_deleted,
        )
        .thorough(
            "a_cluster_that_is_refused_is_applied_when_it_is_fixed",
            refusals::a_cluster_that_is_refused_is_applied_when_it_is_fixed,
        )
        .thorough(
            "machines_without_nodes_and_a_network_that_does_not_work_are_reported",
            network::told,
        )
        .thorough(
            "providers_that_do_not_get_into_the_target_are_reported",
            target::providers_that_do_not_get_into_the_target_are_reported,
        )
        .thorough(
            "a_move_that_fails_is_done_when_it_can_be",
            moving::a_move_that_fails_is_done_when_it_can_be,
        )
        .run(|| Box::pin(fixture::Fixture::set()))
}
