//! Variables that users can set.

use kubectl_pivot_plugin_api::{Variable, VariableType};

pub(crate) const CHART_VERSION: &str = "chart-version";
pub(crate) const IPAM_MODE: &str = "ipam-mode";
pub(crate) const KUBE_PROXY_REPLACEMENT: &str = "kube-proxy-replacement";
pub(crate) const OPERATOR_REPLICAS: &str = "operator-replicas";

pub(crate) fn all() -> Vec<Variable> {
    use VariableType::{Boolean, Integer, String};
    vec![
        Variable::new(CHART_VERSION, String, "Version of the chart").with_default("1.20.2"),
        Variable::new(
            IPAM_MODE,
            String,
            "Who hands out addresses of pods: kubernetes (from the ranges of the nodes) or \
             cluster-pool (Cilium's operator, from the ranges of the cluster)",
        )
        .with_default("kubernetes")
        .one_of(&["kubernetes", "cluster-pool"]),
        Variable::new(
            KUBE_PROXY_REPLACEMENT,
            Boolean,
            "Replace kube-proxy; the machines are then created without it",
        )
        .with_default(false),
        Variable::new(OPERATOR_REPLICAS, Integer, "Replicas of the operator, each on its own node")
            .with_default(1)
            .at_least(1),
    ]
}

/// The declaration of one variable, for errors about its value.
pub(crate) fn declared(name: &str) -> Variable {
    all().into_iter().find(|variable| variable.name == name).unwrap_or_default()
}
