//! Probes that define "ready".

use kubectl_pivot_plugin_api::{Probe, ProbeStage};

pub(crate) fn all() -> Vec<Probe> {
    [
        Probe::daemon_set_ready("cilium-agents", "kube-system", "cilium"),
        Probe::deployment_available("cilium-operator", "kube-system", "cilium-operator"),
        Probe::nodes_ready(),
    ]
    .map(|probe| probe.at(&[ProbeStage::CniInstalled]))
    .into()
}
