//! IPAddressClaims and IPAddresses of machines.

use serde_json::json;

use super::shapes::{CLUSTER_NAME, cluster, machine};
use super::{ObjectSpec, Population};

const IPAM: &str = "ipam.cluster.x-k8s.io/v1beta2";

/// A machine with a bound claim, and a claim that belongs to no moved object.
pub fn population(namespace: &str) -> Population {
    let mut population = Population::new(namespace);
    let owner = cluster(&mut population, "ipam");
    let machine = machine(&mut population, "ipam", "ipam-0", owner);
    let pool = json!({"apiGroup": "ipam.cluster.x-k8s.io", "kind": "GlobalInClusterIPPool",
        "name": "pool"});
    let claim = population.add(
        ObjectSpec::new(IPAM, "IPAddressClaim", "ipam-0-eth0")
            .label(CLUSTER_NAME, "ipam")
            .finalizer("ipam.cluster.x-k8s.io/ReleaseAddress")
            .owned_by(machine)
            .spec(json!({"clusterName": "ipam", "poolRef": pool}))
            .status(json!({"addressRef": {"name": "ipam-0-eth0"}})),
    );
    population.add(
        ObjectSpec::new(IPAM, "IPAddress", "ipam-0-eth0")
            .finalizer("ipam.cluster.x-k8s.io/ProtectAddress")
            .controlled_by(claim)
            .spec(json!({"address": "10.0.0.7", "prefix": 24, "gateway": "10.0.0.1",
                "claimRef": {"name": "ipam-0-eth0"}, "poolRef": pool})),
    );
    population
        .add(ObjectSpec::new(IPAM, "IPAddressClaim", "nobody").spec(json!({"poolRef": pool})));
    population
}
