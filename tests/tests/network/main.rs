//! The network step of `kubectl pivot create`: charts by the real helm, and by the Helm add-on
//! provider.
//!
//! Real: helm, a registry, API servers and etcd, Cluster API's CRDs, the plugins. Stood in: the
//! charts, which have names and versions of the real ones and templates of the tests, kubelets and
//! controllers (`simulated_controllers`), and the manager of the Helm add-on provider
//! (`kubectl_pivot_tests::addon`), whose CRDs are real.

mod addon;
mod addons;
mod charts;
mod fixture;
mod helm;
mod interrupted;
mod refused;
mod registry;

use std::process::ExitCode;

use kubectl_pivot_tests::suite::Suite;

fn main() -> ExitCode {
    Suite::new()
        .on_fixtures(2)
        .case("a_chart_of_another_repository", helm::a_chart_of_another_repository)
        .thorough("a_chart_that_is_here", helm::a_chart_that_is_here)
        .thorough("an_address_that_is_not_known_yet", helm::an_address_that_is_not_known_yet)
        .thorough("a_network_without_a_chart", helm::a_network_without_a_chart)
        .thorough(
            "kube_proxy_in_a_manifest_of_the_user",
            refused::kube_proxy_in_a_manifest_of_the_user,
        )
        .case(
            "a_plugin_does_not_support_what_is_there",
            refused::a_plugin_does_not_support_what_is_there,
        )
        .thorough(
            "missing_charts_are_reported_before_anything_is_created",
            refused::missing_charts_are_reported_before_anything_is_created,
        )
        .thorough("values_that_the_chart_refuses", refused::values_that_the_chart_refuses)
        .thorough(
            "a_network_that_never_gets_ready_is_reported",
            refused::a_network_that_never_gets_ready_is_reported,
        )
        .case("a_chart_of_a_registry", registry::a_chart_of_a_registry)
        .thorough("a_registry_that_wants_a_login", registry::a_registry_that_wants_a_login)
        .thorough(
            "a_chart_that_a_registry_does_not_give_is_reported_before_anything_is_created",
            registry::a_chart_that_a_registry_does_not_give_is_reported_before_anything_is_created,
        )
        .case(
            "leftovers_of_a_killed_helm_are_put_in_order",
            interrupted::leftovers_of_a_killed_helm_are_put_in_order,
        )
        .case("helm_ends_with_this_program", interrupted::helm_ends_with_this_program)
        .case(
            "the_add_on_provider_is_asked_and_followed",
            addon::the_add_on_provider_is_asked_and_followed,
        )
        .case("parts_after_the_network_come_one_after_the_other", addons::one_after_the_other)
        .run(|| Box::pin(fixture::Fixture::set()))
}
