//! Probes that define "ready".

use kubectl_pivot_plugin_api::capi::{
    INFRASTRUCTURE, VersionChoice, controller_available, infrastructure_provisioned,
};
use kubectl_pivot_plugin_api::{ClusterRequest, PluginResult, Probe, ProbesRequest, Values};

use crate::kinds::Kinds;
use crate::variables;

pub(crate) fn all(request: &ProbesRequest) -> PluginResult<Vec<Probe>> {
    let mut probes =
        Vec::from(controller_available("docker", "capd-system", "capd-controller-manager"));
    let kinds = match &request.name {
        Some(name) => vec![kind_of(name, request)?],
        None => served_kinds(request),
    };
    probes.extend(kinds.into_iter().flat_map(|kind| infrastructure_provisioned(kind, request)));
    Ok(probes)
}

/// The kind that was rendered for the cluster `name`.
fn kind_of(name: &str, request: &ProbesRequest) -> PluginResult<&'static str> {
    let values = Values::resolve(&variables::all(), &request.variables)?;
    let cluster = ClusterRequest {
        served: request.served.clone(),
        capi_version: request.capi_version.clone(),
        ..ClusterRequest::named(name)
    };
    let versions = VersionChoice::new(&cluster, "auto")?;
    Ok(Kinds::choose(values.text(variables::KINDS)?, &cluster, &versions)?.cluster())
}

/// The kinds that the clusters of a management cluster can be of.
fn served_kinds(request: &ProbesRequest) -> Vec<&'static str> {
    let all = [Kinds::Docker, Kinds::Dev].map(Kinds::cluster);
    let is_served = |kind: &&str| {
        request.served.iter().any(|served| served.group == INFRASTRUCTURE && served.kind == *kind)
    };
    all.into_iter().filter(is_served).collect()
}

#[cfg(test)]
mod tests {
    use kubectl_pivot_plugin_api::{ProbeCluster, ProbeStage, ServedKind};

    use super::*;

    fn served(kinds: &[&str]) -> Vec<ServedKind> {
        let kind = |kind: &&str| ServedKind {
            group: INFRASTRUCTURE.to_owned(),
            kind: (*kind).to_owned(),
            versions: vec!["v1beta2".to_owned()],
        };
        kinds.iter().map(kind).collect()
    }

    fn kinds_of(request: &ProbesRequest) -> Vec<String> {
        let probes = all(request).expect("the defaults are usable");
        probes.into_iter().map(|probe| probe.kind).collect()
    }

    #[test]
    fn watches_the_controller_and_the_cluster_on_both_sides() {
        let request = ProbesRequest {
            name: Some("pivot".to_owned()),
            namespace: Some("default".to_owned()),
            ..ProbesRequest::default()
        };
        let probes = all(&request).expect("the defaults are usable");
        let names: Vec<_> = probes.iter().map(|probe| probe.name.as_str()).collect();
        let expected = [
            "docker-controller-bootstrap",
            "docker-controller-target",
            "dockercluster-provisioned-bootstrap",
            "dockercluster-provisioned-target",
        ];
        assert_eq!(names, expected);
        let created = &probes[2];
        assert_eq!(created.cluster, ProbeCluster::Bootstrap);
        assert_eq!(created.stages, [ProbeStage::ClusterCreated, ProbeStage::BeforeMove]);
        assert_eq!(created.object.as_deref(), Some("pivot"));
        assert_eq!(created.min_objects, 1);
    }

    #[test]
    fn watches_the_kind_that_was_rendered() {
        let mut request = ProbesRequest {
            name: Some("pivot".to_owned()),
            served: served(&["DockerCluster", "DevCluster"]),
            ..ProbesRequest::default()
        };
        assert!(kinds_of(&request).contains(&"DockerCluster".to_owned()));
        request.variables.insert(variables::KINDS.to_owned(), "dev".into());
        assert!(!kinds_of(&request).contains(&"DockerCluster".to_owned()));
        assert!(kinds_of(&request).contains(&"DevCluster".to_owned()));
    }

    #[test]
    fn a_move_watches_every_kind_that_is_served() {
        let served = served(&["DockerCluster", "DevCluster"]);
        let kinds = kinds_of(&ProbesRequest { served, ..ProbesRequest::default() });
        assert_eq!(kinds[2..], ["DockerCluster", "DockerCluster", "DevCluster", "DevCluster"]);
        assert_eq!(kinds_of(&ProbesRequest::default()).len(), 2);
    }
}
