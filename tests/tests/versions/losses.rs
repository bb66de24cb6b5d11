//! A field that the conversion of the target does not keep.

use std::sync::Arc;

use kubectl_pivot_tests::population::{ObjectSpec, Population};
use serde_json::json;

use crate::bench::Bench;
use crate::population::small;

/// `v1beta2` counts the time in whole seconds.
const FIELD: &str = "spec.unhealthyConditions[0].timeout";

pub(crate) async fn refused(bench: Arc<Bench>) {
    let namespace = bench.populate(with_milliseconds).await;
    for flags in [["--dry-run"].as_slice(), &["--yes"]] {
        let refused = bench.run(&[&["move", "-n", &namespace], flags].concat()).await;
        assert_eq!(refused.code, Some(3), "{refused}");
        assert!(refused.says("[ConversionLoss]") && refused.says(FIELD), "{refused}");
    }
    let before = bench.dump(&bench.source, &namespace).await.len();
    let unrehearsed = bench.run(&["move", "-n", &namespace, "--yes", "--preflight", "off"]).await;
    assert_eq!(unrehearsed.code, Some(5), "{unrehearsed}");
    assert!(unrehearsed.says("does not keep") && unrehearsed.says(FIELD), "{unrehearsed}");
    assert_eq!(bench.dump(&bench.source, &namespace).await.len(), before);
    assert_eq!(bench.dump(&bench.target, &namespace).await.len(), 0);
    let accept = "--accept-loss=MachineHealthCheck.spec.unhealthyConditions";
    let moved = bench.run(&["move", "-n", &namespace, "--yes", accept]).await;
    moved.expect_success("the move with an accepted loss");
}

fn with_milliseconds(namespace: &str) -> Population {
    let (mut population, cluster) = small(namespace);
    population.add(
        ObjectSpec::new("cluster.x-k8s.io/v1beta1", "MachineHealthCheck", "precise")
            .label("cluster.x-k8s.io/cluster-name", "plain")
            .owned_by(cluster)
            .spec(json!({"clusterName": "plain", "selector": {"matchLabels": {"pool": "none"}},
            "unhealthyConditions": [{"type": "Ready", "status": "Unknown",
                "timeout": "300500ms"}]})),
    );
    population
}
