package main

import (
	pivot "github.com/kubectl-pivot/kubectl-pivot/plugin-api/go"
)

const (
	core           = "cluster.x-k8s.io"
	infrastructure = "infrastructure.cluster.x-k8s.io"
	controlPlane   = "controlplane.cluster.x-k8s.io"
	bootstrap      = "bootstrap.cluster.x-k8s.io"
)

type object = map[string]any

func (docker) Render(cluster pivot.Cluster) (pivot.Manifests, error) {
	for group, kind := range map[string]string{core: "Cluster", infrastructure: "DockerCluster"} {
		if !cluster.Serves(group, kind, "v1beta2") {
			return pivot.Manifests{}, pivot.Unsupported(
				"the management cluster does not serve "+kind+" in "+group+"/v1beta2",
				"use the plugin docker, which knows more versions",
			)
		}
	}
	version := cluster.KubernetesVersion
	if version == "" {
		version = cluster.Values.Text("kubernetes-version")
	}
	return pivot.Manifests{Objects: []any{
		of(cluster, core, "Cluster", cluster.Name, object{
			"clusterNetwork": object{
				"pods":          object{"cidrBlocks": cluster.Values.List("pod-cidrs")},
				"services":      object{"cidrBlocks": cluster.Values.List("service-cidrs")},
				"serviceDomain": "cluster.local",
			},
			"controlPlaneRef":   reference(controlPlane, "KubeadmControlPlane", "controlplane-"+cluster.Name),
			"infrastructureRef": reference(infrastructure, "DockerCluster", cluster.Name),
		}),
		of(cluster, infrastructure, "DockerCluster", cluster.Name, nil),
		of(cluster, controlPlane, "KubeadmControlPlane", "controlplane-"+cluster.Name, object{
			"replicas": cluster.Values.Integer("control-plane-replicas"),
			"version":  version,
			"machineTemplate": object{"spec": object{
				"infrastructureRef": reference(infrastructure, "DockerMachineTemplate", "controlplane"),
			}},
			"kubeadmConfigSpec": object{
				"clusterConfiguration": object{"apiServer": object{
					"certSANs": []string{"localhost", "127.0.0.1", "0.0.0.0"},
				}},
				"initConfiguration": registration(),
				"joinConfiguration": registration(),
			},
		}),
		machineTemplate(cluster, "controlplane"),
		workers(cluster, version),
		machineTemplate(cluster, "worker"),
		of(cluster, bootstrap, "KubeadmConfigTemplate", "worker", template(object{
			"joinConfiguration": registration(),
		})),
	}}, nil
}

// As in the examples of the Docker provider: a disk that is nearly full, which all machines share, is
// no reason to evict pods.
func registration() object {
	return object{"nodeRegistration": object{"kubeletExtraArgs": []object{{
		"name": "eviction-hard", "value": "nodefs.available<0%,nodefs.inodesFree<0%,imagefs.available<0%",
	}}}}
}

// The controller in the target starts containers on the same host.
func machineTemplate(cluster pivot.Cluster, name string) object {
	socket := object{"hostPath": "/var/run/docker.sock", "containerPath": "/var/run/docker.sock"}
	return of(cluster, infrastructure, "DockerMachineTemplate", name,
		template(object{"extraMounts": []object{socket}}))
}

func workers(cluster pivot.Cluster, version string) object {
	return of(cluster, core, "MachineDeployment", "worker-md-0", object{
		"clusterName": cluster.Name,
		"replicas":    cluster.Values.Integer("worker-replicas"),
		"selector":    object{"matchLabels": object{"cluster.x-k8s.io/cluster-name": cluster.Name}},
		"template": object{"spec": object{
			"version":           version,
			"clusterName":       cluster.Name,
			"bootstrap":         object{"configRef": reference(bootstrap, "KubeadmConfigTemplate", "worker")},
			"infrastructureRef": reference(infrastructure, "DockerMachineTemplate", "worker"),
		}},
	})
}

func template(spec object) object { return object{"template": object{"spec": spec}} }

func reference(group, kind, name string) object {
	return object{"apiGroup": group, "kind": kind, "name": name}
}

func of(cluster pivot.Cluster, group, kind, name string, spec object) object {
	made := object{
		"apiVersion": group + "/v1beta2",
		"kind":       kind,
		"metadata":   object{"name": name, "namespace": cluster.Namespace},
	}
	if spec != nil {
		made["spec"] = spec
	}
	return made
}
