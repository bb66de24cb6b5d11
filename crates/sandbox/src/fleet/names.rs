//! Names of the objects of one cluster: those of clusterctl's quick start, with the suffixes that
//! the controllers append. The same options always give the same names.

/// Characters of the controllers' random suffixes (`k8s.io/apimachinery/pkg/util/rand`).
const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// Suffixes there are: 27 to the power of 5.
const SUFFIXES: u64 = 14_348_907;

/// A factor that shares no divisor with [`SUFFIXES`], so that different numbers stay different.
const SCATTER: u64 = 7_368_787;

/// Names of the objects of one cluster.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// Cluster and `DockerCluster`.
    pub(super) cluster: String,
    /// `KubeadmControlPlane` and its machine template.
    pub(super) control_plane: String,
    /// `MachineDeployment` and its templates.
    pub(super) workers: String,
    /// `MachineSet`.
    pub(super) machine_set: String,
    /// Value of the label `machine-template-hash`.
    pub(super) template_hash: String,
    /// The control plane's Machine and all that goes with it.
    pub(super) control_plane_machine: String,
    /// The workers' Machines and all that goes with them.
    pub(super) worker_machines: Vec<String>,
}

impl Names {
    pub(super) fn new(prefix: &str, index: usize, workers: usize) -> Self {
        let cluster = format!("{prefix}{index}");
        let control_plane = format!("{cluster}-control-plane");
        let worker_set = format!("{cluster}-md-0");
        let own = suffix(index);
        let machine_set = format!("{worker_set}-{own}");
        Self {
            control_plane_machine: format!("{control_plane}-{own}"),
            worker_machines: (0..workers)
                .map(|worker| format!("{machine_set}-{}", suffix(index + worker + 1)))
                .collect(),
            template_hash: format!(
                "{}-{own}",
                1_000_000_000 + (index as u64 + 1) * SCATTER % SUFFIXES
            ),
            cluster,
            control_plane,
            workers: worker_set,
            machine_set,
        }
    }

    /// Name of one of the cluster's secrets.
    pub(super) fn secret(&self, purpose: &str) -> String {
        format!("{}-{purpose}", self.cluster)
    }
}

/// Five characters that look random; no two numbers below [`SUFFIXES`] give the same.
fn suffix(number: usize) -> String {
    let mut rest = (number as u64 % SUFFIXES + 1) * SCATTER % SUFFIXES;
    let mut text = String::with_capacity(5);
    for _ in 0..5 {
        text.push(char::from(ALPHABET[(rest % 27) as usize]));
        rest /= 27;
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn suffixes_do_not_repeat() {
        let suffixes: HashSet<_> = (0..20_000).map(suffix).collect();
        assert_eq!(suffixes.len(), 20_000);
    }
}
