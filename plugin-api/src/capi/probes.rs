//! Probes that most infrastructure providers need.

use crate::probe::{Probe, ProbeCluster, ProbeStage, ProbesRequest};

/// The object says that it is paused, in the place of `v1beta2` or in that of `v1beta1`.
const PAUSED: &str = " || (has(self.status.conditions) && \
    self.status.conditions.exists(c, c.type == 'Paused' && c.status == 'True')) || \
    (has(self.status.v1beta2) && has(self.status.v1beta2.conditions) && \
    self.status.v1beta2.conditions.exists(c, c.type == 'Paused' && c.status == 'True'))";

/// The provider's controller is available: on both clusters after its installation and before a move,
/// on the target after a move. `provider` starts the names of the probes.
pub fn controller_available(provider: &str, namespace: &str, deployment: &str) -> [Probe; 2] {
    use ProbeStage::{AfterMove, BeforeMove, ProvidersInstalled};
    let on = |cluster, word: &str, stages: &[ProbeStage]| {
        let name = format!("{provider}-controller-{word}");
        Probe::deployment_available(&name, namespace, deployment).on(cluster).at(stages)
    };
    [
        on(ProbeCluster::Bootstrap, "bootstrap", &[ProvidersInstalled, BeforeMove]),
        on(ProbeCluster::Target, "target", &[ProvidersInstalled, BeforeMove, AfterMove]),
    ]
}

/// The infrastructure of the cluster in `request`, or of every cluster, is provisioned: on the
/// bootstrap cluster once it was created, on the target after a move.
///
/// The expression reads the contract of `v1beta1` (`status.ready`) and of `v1beta2`
/// (`status.initialization.provisioned`). After a move the status is written anew; nobody does that for
/// a cluster that its user has paused, so its condition `Paused` is enough there.
pub fn infrastructure_provisioned(kind: &str, request: &ProbesRequest) -> [Probe; 2] {
    let on = |cluster, stages: &[ProbeStage], word: &str, or: &str| Probe {
        name: format!("{}-provisioned-{word}", kind.to_lowercase()),
        cluster,
        stages: stages.to_vec(),
        group: super::INFRASTRUCTURE.to_owned(),
        kind: kind.to_owned(),
        namespace: request.namespace.clone(),
        object: request.name.clone(),
        expression: format!(
            "has(self.status) && (\
             (has(self.status.initialization) && \
             has(self.status.initialization.provisioned) && \
             self.status.initialization.provisioned) || \
             (has(self.status.ready) && self.status.ready){or})"
        ),
        // A move of all clusters of a provider may find none of this kind.
        min_objects: u32::from(request.name.is_some()),
        waiting: format!("Waiting for the {kind} to be provisioned"),
        ..Probe::default()
    };
    use ProbeStage::{AfterMove, BeforeMove, ClusterCreated};
    [
        on(ProbeCluster::Bootstrap, &[ClusterCreated, BeforeMove], "bootstrap", ""),
        on(ProbeCluster::Target, &[AfterMove], "target", PAUSED),
    ]
}
