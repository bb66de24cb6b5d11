//! The objects of a cluster in stages: the owners of an object are in an earlier stage.

use super::belongings::{docker_machine, kubeadm_config};
use super::blueprint::Blueprint;
use super::cluster::{cluster, docker_cluster};
use super::control_plane::{control_plane, machine_template};
use super::machine::{Member, machine};
use super::material::Material;
use super::parts::Context;
use super::secrets::{bootstrap_data, cluster_secrets};
use super::workers::{bootstrap_template, machine_deployment, machine_set};

/// All objects of one cluster.
pub(super) fn plan(context: &Context) -> Vec<Vec<Blueprint>> {
    let names = &context.names;
    let material = Material::generate(names.worker_machines.len());
    let first = Member { context, name: &names.control_plane_machine, number: 0 };
    let workers: Vec<_> = names
        .worker_machines
        .iter()
        .enumerate()
        .map(|(index, name)| Member { context, name, number: index + 1 })
        .collect();
    let belongings =
        |member: &Member<'_>| [kubeadm_config(*member, &material), docker_machine(*member)];

    let user_made = vec![
        docker_cluster(context),
        control_plane(context),
        machine_template(context, &names.control_plane),
        machine_template(context, &names.workers),
        bootstrap_template(context),
        machine_deployment(context),
    ];
    let mut owned = cluster_secrets(context, &material);
    owned.extend([machine_set(context), machine(first)]);
    let mut machines = Vec::from(belongings(&first));
    machines.extend(workers.iter().map(|worker| machine(*worker)));
    let mut details = vec![bootstrap_data(first, &material)];
    details.extend(workers.iter().flat_map(belongings));
    let data = workers.iter().map(|worker| bootstrap_data(*worker, &material)).collect();
    vec![vec![cluster(context)], user_made, owned, machines, details, data]
}

/// Number of objects of a cluster with that many workers.
pub(super) const fn object_count(workers: usize) -> usize {
    8 + 5 + 4 * (1 + workers)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;
    use crate::fleet::blueprint::How;
    use crate::fleet::names::Names;

    fn context(index: usize, workers: usize) -> Context {
        Context {
            index,
            names: Names::new("c", index, workers),
            now: "2026-01-01T00:00:00Z".to_owned(),
            expiry: "2027-01-01T00:00:00Z".to_owned(),
        }
    }

    fn owners(blueprint: &Blueprint) -> Vec<Value> {
        let references = |body: &Value| body["metadata"]["ownerReferences"].as_array().cloned();
        blueprint.writes.iter().filter_map(|write| references(&write.body)).flatten().collect()
    }

    #[test]
    fn a_cluster_with_three_workers_has_29_objects() {
        let count = |workers| plan(&context(0, workers)).concat().len();
        assert_eq!(count(3), 29);
        for workers in [0, 1, 3, 10] {
            assert_eq!(count(workers), object_count(workers));
        }
    }

    #[test]
    fn owners_are_in_an_earlier_stage_and_only_the_cluster_has_none() {
        let mut known = HashSet::new();
        for stage in plan(&context(0, 3)) {
            for blueprint in &stage {
                let owners = owners(blueprint);
                assert_eq!(owners.is_empty(), blueprint.kind.kind == "Cluster", "{blueprint:?}");
                for owner in owners {
                    let id = (owner["kind"].to_string(), owner["name"].to_string());
                    assert!(known.contains(&id), "{} owned by {owner}", blueprint.name);
                }
            }
            known.extend(stage.iter().map(|blueprint| {
                (format!("{:?}", blueprint.kind.kind), format!("{:?}", blueprint.name))
            }));
        }
    }

    #[test]
    fn no_two_objects_of_a_fleet_have_one_name() {
        let ids: Vec<_> = (0..60)
            .flat_map(|index| plan(&context(index, 5)).concat())
            .map(|blueprint| blueprint.id("default"))
            .collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
    }

    #[test]
    fn only_machines_and_what_belongs_to_them_have_a_controller() {
        for blueprint in plan(&context(0, 2)).concat() {
            let expected = matches!(
                blueprint.kind.kind.as_str(),
                "Machine" | "MachineSet" | "KubeadmConfig" | "DockerMachine" | "Secret"
            );
            for owner in owners(&blueprint) {
                assert_eq!(owner["controller"] == true, expected, "{}", blueprint.name);
            }
        }
    }

    #[test]
    fn status_comes_last_and_bootstrap_data_has_a_realistic_size() {
        for blueprint in plan(&context(0, 1)).concat() {
            let status = blueprint.writes.iter().position(|write| write.how == How::Status);
            assert!(status.is_none_or(|at| at + 1 == blueprint.writes.len()));
            let size = blueprint.writes[0].body.to_string().len();
            assert!(blueprint.kind.kind != "Secret" || size > 1500, "{} {size}", blueprint.name);
        }
    }
}
