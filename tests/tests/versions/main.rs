//! Moves from an older Cluster API into the pinned one. Where the older one has `v1beta1` only, the
//! real managers of the pinned one convert every object into `v1beta2` and back.

mod bench;
mod choosing;
mod crd;
mod everything;
mod losses;
mod one_side;
mod population;
mod recovery;
mod replacing;
mod restoring;
mod same;
mod storage;
mod topology;
mod waiting;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bench::Bench;
use capi::Object;
use kubectl_pivot_tests::suite::Suite;
use serde_json::Value;

/// Time in which controllers may change moved objects.
const SETTLE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let suite = match bench::source().has_v1beta2() {
        false => of_v1beta1(),
        true => of_v1beta2(),
    };
    suite.run(|| Box::pin(Bench::set()))
}

fn of_v1beta1() -> Suite<Bench> {
    Suite::new()
        .case("a_fleet_moves", a_fleet_moves)
        .case("a_field_that_is_lost_is_refused", losses::refused)
        .thorough("a_move_that_is_killed_is_resumed", recovery::resumed)
        .thorough("a_move_that_is_killed_is_rolled_back", recovery::rolled_back)
        .case("an_old_cluster_is_replaced_and_kept", replacing::kept)
        .thorough("a_replacement_that_is_killed_goes_on", replacing::killed)
        .thorough("a_replacement_is_rolled_back", replacing::rolled_back)
        .thorough("a_replacement_whose_target_is_lost_is_given_up", replacing::given_up)
        .thorough("a_replacement_of_some_clusters_goes_on", waiting::of_some_clusters)
        .thorough("two_clusters_are_replaced_by_one", waiting::of_two_sources)
        .thorough("a_resume_that_arrives_late_changes_nothing", waiting::with_a_late_resume)
        .thorough("a_replacement_without_records_is_rolled_back", waiting::without_records)
        .thorough("a_copy_is_as_if_it_had_been_created_there", same::as_created_there)
        .thorough("a_kind_that_is_stored_at_another_version", storage::refused_and_accepted)
        .thorough("versions_and_kinds_that_one_side_has", one_side::of_versions)
        .thorough("objects_that_the_target_cannot_read_are_refused", one_side::unreadable)
        .thorough("the_topology_controller_removes_its_fields", topology::removes_its_own_fields)
        .thorough("one_cluster_of_two_moves", choosing::chosen)
        .thorough("a_backup_leads_back_into_the_older_version", restoring::led_back)
        .thorough("files_are_restored", restoring::restored)
        .thorough("an_object_that_is_there_already_is_used", same::used_as_it_is)
}

/// Nothing is converted. The suite `controllers` moves what the source's controllers have
/// provisioned.
fn of_v1beta2() -> Suite<Bench> {
    Suite::new()
        .case("a_copy_is_as_if_it_had_been_created_there", same::as_created_there)
        .thorough("a_replacement_is_rolled_back", replacing::rolled_back)
        .thorough("a_replacement_without_records_is_rolled_back", waiting::without_records)
        .thorough("a_backup_leads_back_into_the_older_version", restoring::led_back)
}

async fn a_fleet_moves(bench: Arc<Bench>) {
    let namespace = bench.populate(population::fleet).await;
    let plan = bench.run(&["move", "-n", &namespace, "--dry-run", "-o", "json"]).await;
    let plan = plan.expect_success("the dry-run").json();
    check_conversions(&plan);
    let moved = bench.run(&["move", "-n", &namespace, "--yes", "-o", "json"]).await;
    let report = moved.expect_success("the move").json();
    assert_eq!(report["conversions"], plan["conversions"]);
    let rules: Vec<&Value> = findings(&report).map(|finding| &finding["rule"]).collect();
    assert!(!rules.iter().any(|rule| **rule == "FieldManagersDiffer"), "{rules:?}");
    assert_eq!(ids(&bench.dump(&bench.source, &namespace).await), Vec::<String>::new());
    let back = bench.run_back(&["move", "-n", &namespace, "--dry-run"]).await;
    assert_eq!(back.code, Some(3), "{back}");
    assert!(back.says("[ProviderOlder]"), "{back}");
    tokio::time::sleep(SETTLE).await;
    let objects = bench.dump(&bench.target, &namespace).await;
    assert_eq!(machines(&objects), population::MACHINES, "no rollout");
    for object in objects.iter().filter(|object| !object.group().is_empty()) {
        let mark = object.value()["metadata"]["annotations"].to_string();
        assert!(!mark.contains("kubectl-pivot.io"), "{}: {mark}", object.id());
        assert!(!object.api_version().ends_with("v1beta1"), "{}", object.id());
    }
}

/// The plan says which kinds are converted, and each field that does not stay as it is.
fn check_conversions(plan: &Value) {
    let conversions = plan["conversions"].as_array().expect("a list");
    let of = |resource: &str| {
        let kind = conversions.iter().find(|kind| kind["resource"] == resource);
        kind.unwrap_or_else(|| panic!("{resource} is not in {conversions:#?}"))
    };
    let deployments = of("machinedeployments.cluster.x-k8s.io");
    assert_eq!((&deployments["from"], &deployments["to"]), (&"v1beta1".into(), &"v1beta2".into()));
    let names = |kind: &Value| -> Vec<String> {
        let fields = kind["fields"].as_array().into_iter().flatten();
        fields.map(|field| field["field"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let fields = names(deployments);
    assert!(fields.contains(&"spec.progressDeadlineSeconds".to_owned()), "{fields:?}");
    let fields = names(of("kubeadmcontrolplanes.controlplane.cluster.x-k8s.io"));
    let removed = "spec.kubeadmConfigSpec.clusterConfiguration.networking.dnsDomain";
    assert!(fields.contains(&removed.to_owned()), "{fields:?}");
    assert!(findings(plan).any(|finding| finding["rule"] == "Converted"), "{plan:#}");
    let contract = findings(plan).find(|finding| finding["rule"] == "ContractChanged");
    let message = contract.expect("the contract is named")["message"].to_string();
    assert!(message.contains("from v1beta1 to v1beta2: "), "{message}");
    assert!(message.contains("cluster-api") && message.contains("docker"), "{message}");
}

fn findings(report: &Value) -> impl Iterator<Item = &Value> {
    report["findings"].as_array().into_iter().flatten()
}

/// The Machines of the cluster `plain`. Controllers create some for the one of the class.
fn machines(objects: &[Object]) -> Vec<&str> {
    let is_plain = |object: &&Object| {
        object.kind() == "Machine" && object.label("cluster.x-k8s.io/cluster-name") == Some("plain")
    };
    objects.iter().filter(is_plain).map(Object::name).collect()
}

fn ids(objects: &[Object]) -> Vec<String> {
    objects.iter().map(|object| object.id().to_string()).collect()
}
