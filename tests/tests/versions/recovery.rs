//! A move across versions that is killed.

use std::sync::Arc;

use capi::Object;
use kubectl_pivot_tests::proxy::{Call, Fault, Rule, Side};
use serde_json::Value;

use crate::bench::Bench;
use crate::population::{MACHINES, fleet};
use crate::{ids, machines};

/// Killed while it copies, while it hands over and while it deletes.
pub(crate) async fn resumed(bench: Arc<Bench>) {
    let namespace = bench.populate(fleet).await;
    let args = ["move", "-n", &namespace, "--yes", "--max-in-flight", "1"];
    bench.kill_at(&args, at("POST", Side::Target, 9)).await;
    let resume = ["resume", "--force-unlock", "--max-in-flight", "1"];
    bench.kill_at(&resume, at("PATCH", Side::Target, 5)).await;
    bench.kill_at(&resume, at("DELETE", Side::Source, 4)).await;
    bench.run(&["resume", "--force-unlock"]).await.expect_success("the last resume");
    assert_eq!(ids(&bench.dump(&bench.source, &namespace).await), Vec::<String>::new());
    let objects = bench.dump(&bench.target, &namespace).await;
    assert_eq!(machines(&objects), MACHINES);
}

pub(crate) async fn rolled_back(bench: Arc<Bench>) {
    let namespace = bench.populate(fleet).await;
    let before = contents(&bench.dump(&bench.source, &namespace).await);
    let args = ["move", "-n", &namespace, "--yes", "--max-in-flight", "1"];
    bench.kill_at(&args, at("POST", Side::Target, 12)).await;
    bench.run(&["rollback", "--force-unlock"]).await.expect_success("the rollback");
    assert_eq!(contents(&bench.dump(&bench.source, &namespace).await), before);
    assert_eq!(ids(&bench.dump(&bench.target, &namespace).await), Vec::<String>::new());
}

/// Everything that a rollback puts back; an API server books a false pause to whoever has changed
/// it last.
pub(crate) fn contents(objects: &[Object]) -> Vec<Value> {
    let content = |object: &Object| {
        let mut value = object.value().clone();
        for field in ["resourceVersion", "generation", "managedFields"] {
            value["metadata"].as_object_mut().expect("metadata").remove(field);
        }
        value
    };
    objects.iter().map(content).collect()
}

/// Keeps the answer to the write behind the first `skip` ones.
pub(crate) fn at(method: &'static str, side: Side, skip: usize) -> Rule {
    let applies = move |call: &Call| {
        call.is_write() && !call.is_lease() && call.method == method && call.side == side
    };
    Rule::when(applies, Fault::HoldAfter).skip(skip).times(1)
}
