//! Probes that define "ready".

use kubectl_pivot_plugin_api::{Probe, ProbeStage};

pub(crate) fn all() -> Vec<Probe> {
    [
        Probe::daemon_set_ready("flannel-agents", "kube-flannel", "kube-flannel-ds"),
        Probe::nodes_ready(),
    ]
    .map(|probe| probe.at(&[ProbeStage::CniInstalled]))
    .into()
}
