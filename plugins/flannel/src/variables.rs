//! Variables that users can set.

use kubectl_pivot_plugin_api::{Variable, VariableType};

pub(crate) const CHART_VERSION: &str = "chart-version";
pub(crate) const BACKEND: &str = "backend";
pub(crate) const BRIDGE_INSTALLED: &str = "bridge-installed";

pub(crate) fn all() -> Vec<Variable> {
    use VariableType::{Boolean, String};
    vec![
        Variable::new(CHART_VERSION, String, "Version of the chart").with_default("v0.28.5"),
        Variable::new(BACKEND, String, "How packets travel between nodes")
            .with_default("vxlan")
            .one_of(&["vxlan", "host-gw", "wireguard"]),
        Variable::new(
            BRIDGE_INSTALLED,
            Boolean,
            "The image of the machines has the CNI binary bridge, which that of kind lacks",
        )
        .with_default(false),
    ]
}
