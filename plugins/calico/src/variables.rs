//! Variables that users can set.

use kubectl_pivot_plugin_api::{Variable, VariableType};

pub(crate) const CHART_VERSION: &str = "chart-version";
pub(crate) const ENCAPSULATION: &str = "encapsulation";

pub(crate) fn all() -> Vec<Variable> {
    use VariableType::String;
    vec![
        Variable::new(CHART_VERSION, String, "Version of the chart").with_default("v3.31.5"),
        Variable::new(ENCAPSULATION, String, "How packets travel between nodes (IPv4)")
            .with_default("VXLAN")
            .one_of(&["VXLAN", "VXLANCrossSubnet", "IPIP", "IPIPCrossSubnet", "None"]),
    ]
}
