//! Names with dashes, of which every part could be the cluster or the purpose.

use super::shapes::bare_cluster;
use super::{ObjectSpec, Population};

/// Purposes of cluster secrets, with the one that has dashes itself.
pub const PURPOSES: [&str; 6] =
    ["kubeconfig", "ca", "etcd", "sa", "proxy", "apiserver-etcd-client"];

/// Secrets that only look as if they belonged to a cluster.
const NOBODYS: [&str; 8] =
    ["a", "a-b", "a-apiserver-etcd", "a-b-c-ca", "a-bca", "a-token", "b-kubeconfig", "etcd-client"];

/// Clusters whose names begin alike, and secrets without owners that only their names tie to one.
pub fn population(namespace: &str) -> Population {
    let mut population = Population::new(namespace);
    let clusters = ["a", "a-b", "a-b-ca", "apiserver", "a-apiserver-etcd"];
    for name in clusters {
        population.add(bare_cluster(name));
        for purpose in PURPOSES {
            population.add(ObjectSpec::cluster_secret(&format!("{name}-{purpose}")));
        }
    }
    for name in NOBODYS {
        population.add(ObjectSpec::cluster_secret(name));
    }
    population
}
