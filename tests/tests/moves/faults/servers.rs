//! API servers that crash while a move is going on. Here the program talks to them directly, so
//! that it meets refused connections and whatever else a dying server does.

use std::time::Duration;

use capi::{Object, ResourceType};
use kubectl_pivot_tests::population::shapes::{CORE, DOCKER};
use kubectl_pivot_tests::suite::Suite;
use kubectl_pivot_tests::twins::Plane;

use super::{FaultBench, Shared, check_moved, fresh};

/// Time before a crashed server is started again.
const DEAD_FOR: Duration = Duration::from_secs(2);

pub(crate) fn add(suite: Suite<FaultBench>) -> Suite<FaultBench> {
    suite
        .case("the_api_server_of_the_target_crashes_while_it_is_copied_to", target_crashes)
        .thorough("the_api_server_of_the_source_crashes_while_it_is_deleted_from", source_crashes)
        .thorough("the_etcd_of_the_target_crashes_while_it_is_copied_to", target_etcd_crashes)
        .thorough("the_etcd_of_the_source_crashes_while_it_is_deleted_from", source_etcd_crashes)
}

async fn target_crashes(fault_bench: Shared) {
    let kind = ResourceType::new(CORE, "Cluster", "clusters", true);
    let has_come = |objects: &[Object]| !objects.is_empty();
    crash(&fault_bench, &fault_bench.proxied_pair.pair().target, Part::ApiServer, &kind, has_come)
        .await;
}

async fn target_etcd_crashes(fault_bench: Shared) {
    let kind = ResourceType::new(CORE, "Cluster", "clusters", true);
    let has_come = |objects: &[Object]| !objects.is_empty();
    crash(&fault_bench, &fault_bench.proxied_pair.pair().target, Part::Etcd, &kind, has_come).await;
}

async fn source_crashes(fault_bench: Shared) {
    let kind = ResourceType::new(DOCKER, "DockerMachine", "dockermachines", true);
    let plane = &fault_bench.proxied_pair.pair().source;
    crash(&fault_bench, plane, Part::ApiServer, &kind, |objects| objects.is_empty()).await;
}

async fn source_etcd_crashes(fault_bench: Shared) {
    let kind = ResourceType::new(DOCKER, "DockerMachine", "dockermachines", true);
    let plane = &fault_bench.proxied_pair.pair().source;
    crash(&fault_bench, plane, Part::Etcd, &kind, |objects| objects.is_empty()).await;
}

/// The server that crashes.
enum Part {
    ApiServer,
    Etcd,
}

/// Crashes a server as soon as its objects of this kind are such.
async fn crash(
    fault_bench: &FaultBench,
    plane: &Plane,
    part: Part,
    kind: &ResourceType,
    is_time: impl Fn(&[Object]) -> bool,
) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let mut args = proxied_pair.pair().move_args(&tag);
    args.extend(["--quiet", "--yes", "--max-in-flight", "2"].map(str::to_owned));
    let mut running = proxied_pair.program().start(args);
    let crash = async {
        while !is_time(&plane.client().list(kind, Some(&tag)).await.expect("can be listed")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        match part {
            Part::ApiServer => plane.crash_apiserver(DEAD_FOR).await,
            Part::Etcd => plane.crash_etcd(DEAD_FOR).await,
        }
    };
    let (outcome, ()) = tokio::join!(running.end(), crash);
    outcome.expect_success("the move");
    check_moved(fault_bench, &tag).await;
    proxied_pair.clean_up(&tag).await;
}
