// Command kubectl-pivot-plugin-docker-go is an infrastructure plugin in Go: clusters whose machines are
// Docker containers, in the kinds and versions of Cluster API 1.11 to 1.14.
package main

import (
	pivot "github.com/kubectl-pivot/kubectl-pivot/plugin-api/go"
)

func main() { pivot.Serve(docker{}) }

type docker struct{}

func (docker) Info() pivot.PluginInfo {
	return pivot.PluginInfo{
		Name:        "docker-go",
		Version:     "0.1.0",
		Maturity:    pivot.MaturityAlpha,
		Description: "Clusters whose machines are Docker containers, from a plugin in Go",
		Provider:    "docker",
	}
}

func (docker) Variables() []pivot.Variable {
	return []pivot.Variable{
		{
			Name: "kubernetes-version", Type: pivot.VariableTypeString, Default: "v1.36.1",
			Description: "Kubernetes version of the machines",
		},
		{
			Name: "control-plane-replicas", Type: pivot.VariableTypeInteger, Default: 1, Minimum: pivot.Int(1),
			Description: "Number of control plane machines; odd, because each runs a member of etcd",
		},
		{
			Name: "worker-replicas", Type: pivot.VariableTypeInteger, Default: 1, Minimum: pivot.Int(0),
			Description: "Number of worker machines",
		},
		{
			Name: "pod-cidrs", Type: pivot.VariableTypeCidrList, Default: []string{"192.168.0.0/16"},
			Description: "IP ranges for pods",
		},
		{
			Name: "service-cidrs", Type: pivot.VariableTypeCidrList, Default: []string{"10.96.0.0/12"},
			Description: "IP ranges for services",
		},
		{
			Name: "docker-socket", Type: pivot.VariableTypeString, Default: "/var/run/docker.sock",
			Description: "Socket of Docker on this machine, mounted into the bootstrap cluster",
		},
	}
}

func (docker) Providers(pivot.Cluster) (pivot.ProvidersToInit, error) {
	return pivot.Kubeadm("docker"), nil
}

// The controller in the bootstrap cluster starts containers on the host, so its node needs the socket.
func (docker) Bootstrap(cluster pivot.Cluster) (pivot.BootstrapRequirements, error) {
	return pivot.BootstrapRequirements{
		ExtraMounts: []pivot.Mount{{
			HostPath:      cluster.Values.Text("docker-socket"),
			ContainerPath: "/var/run/docker.sock",
		}},
		Tools: []pivot.Tool{{
			Name: "docker", Check: []string{"info"},
			Purpose: "run the machines of the bootstrap cluster and the target",
			Hint:    "start Docker, or let your user reach it, until `docker info` works",
		}},
	}, nil
}

func (docker) Probes(about pivot.Probed) ([]pivot.Probe, error) {
	provisioned := pivot.Probe{
		Name: "dockercluster-provisioned", Group: infrastructure, Kind: "DockerCluster",
		Version: "v1beta2", Namespace: about.Namespace, Object: about.Name,
		Expression:     "self.status.initialization.provisioned == true",
		Cluster:        pivot.ProbeClusterBootstrap,
		Stages:         []pivot.ProbeStage{pivot.ProbeStageClusterCreated, pivot.ProbeStageBeforeMove},
		Waiting:        "Waiting for the network of the containers",
		TimeoutSeconds: pivot.Int(300),
	}
	if about.Name == "" {
		provisioned.MinObjects = pivot.Int(0)
	}
	return []pivot.Probe{provisioned}, nil
}
