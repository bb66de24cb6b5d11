//! MachineHealthChecks: machines whose nodes are gone or not ready are replaced.

use serde_json::{Value, json};

use super::version::ApiVersion;

/// Time in which a node may be not ready.
const UNREADY_SECONDS: u32 = 300;
/// Time in which a machine has to become a node.
const STARTUP_SECONDS: u32 = 1200;
/// Above this share nothing is replaced: the trouble is elsewhere then.
const SHARE: &str = "40%";

/// `spec` of a MachineHealthCheck for all machines that have a label.
pub(super) fn spec(version: ApiVersion, cluster: &str, label: &str) -> Value {
    let selector = json!({
        "matchLabels": {"cluster.x-k8s.io/cluster-name": cluster},
        "matchExpressions": [{"key": label, "operator": "Exists"}],
    });
    match version {
        ApiVersion::V1Beta1 => {
            let timeout = format!("{UNREADY_SECONDS}s");
            let condition =
                |status: &str| json!({"type": "Ready", "status": status, "timeout": timeout});
            json!({
                "clusterName": cluster,
                "selector": selector,
                "maxUnhealthy": SHARE,
                "nodeStartupTimeout": format!("{STARTUP_SECONDS}s"),
                "unhealthyConditions": [condition("Unknown"), condition("False")],
            })
        }
        ApiVersion::V1Beta2 => {
            let time = UNREADY_SECONDS;
            let condition =
                |status: &str| json!({"type": "Ready", "status": status, "timeoutSeconds": time});
            json!({
                "clusterName": cluster,
                "selector": selector,
                "checks": {
                    "nodeStartupTimeoutSeconds": STARTUP_SECONDS,
                    "unhealthyNodeConditions": [condition("Unknown"), condition("False")],
                },
                "remediation": {"triggerIf": {"unhealthyLessThanOrEqualTo": SHARE}},
            })
        }
    }
}
