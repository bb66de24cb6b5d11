//! Probes that define "ready".

use kubectl_pivot_plugin_api::{Probe, ProbeStage};

pub(crate) fn all() -> Vec<Probe> {
    [
        Probe::deployment_available("tigera-operator", "tigera-operator", "tigera-operator"),
        Probe::daemon_set_ready("calico-nodes", "calico-system", "calico-node"),
        Probe::nodes_ready(),
    ]
    .map(|probe| probe.at(&[ProbeStage::CniInstalled]))
    .into()
}
