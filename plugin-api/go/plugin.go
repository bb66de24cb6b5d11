package pivotplugin

import (
	"slices"
	"strconv"
	"strings"
)

// Protocol is the version of the messages in this module.
const Protocol = "1.3"

// Infrastructure is a plugin that says where the machines of a cluster come from.
type Infrastructure interface {
	// Info says who the plugin is. Serve fills in the kind and the protocol.
	Info() PluginInfo
	// Variables lists what users can or must set.
	Variables() []Variable
	// Providers lists the providers that a management cluster needs.
	Providers(cluster Cluster) (ProvidersToInit, error)
	// Render returns the objects that make the cluster, in versions that are served.
	Render(cluster Cluster) (Manifests, error)
}

// Bootstrapper is an Infrastructure that needs something of the bootstrap cluster or of the machine
// that it runs on.
type Bootstrapper interface {
	Bootstrap(cluster Cluster) (BootstrapRequirements, error)
}

// NetworkChooser is an Infrastructure with a network that suits it. Without it, that is Cilium.
type NetworkChooser interface {
	CNI(cluster Cluster) (CniChoice, error)
}

// Reacher is an Infrastructure that knows ways to the API server of a cluster beside the address in
// its kubeconfig.
type Reacher interface {
	Reach(cluster Cluster) (Reach, error)
}

// Prober is an Infrastructure that declares what "ready" means.
type Prober interface {
	Probes(about Probed) ([]Probe, error)
}

// Extender is an Infrastructure that installs something in the target after its network: a cloud
// controller manager, storage.
type Extender interface {
	Addons(about Extended) (Addons, error)
}

// Mover is an Infrastructure with kinds that are not moved like all others.
type Mover interface {
	Moving(request MoveRequest) (MoveKnowledge, error)
}

// Network is a plugin that says how pods reach each other.
type Network interface {
	// Info says who the plugin is. ServeNetwork fills in the kind and the protocol.
	Info() PluginInfo
	// Variables lists what users can or must set.
	Variables() []Variable
	// Plan returns what is installed in a cluster.
	Plan(request NetworkRequest) (CniInstall, error)
}

// NetworkProber is a Network that declares what "ready" means.
type NetworkProber interface {
	Probes(request NetworkRequest) ([]Probe, error)
}

// Cluster is the cluster that an Infrastructure is asked about, with the values of all variables.
type Cluster struct {
	ClusterRequest
	Values Values
}

// Probed is what an Infrastructure is asked for probes of: one cluster, or all if Name is empty. The
// values are the defaults where a move does not know what the cluster was made with.
type Probed struct {
	ProbesRequest
	Values Values
}

// Extended is what an Extender is asked about: the cluster, with the values of all variables.
type Extended struct {
	AddonsRequest
	Values Values
}

// NetworkRequest is what a Network is asked about. The values of the variables are in Resolved; Values
// are those of the chart, which the user has given.
type NetworkRequest struct {
	CniRequest
	Resolved Values
}

// Serves says whether the management cluster serves a version of a kind. If nothing is known of it,
// it is taken to serve everything.
func (r ClusterRequest) Serves(group, kind, version string) bool {
	serves := func(served ServedKind) bool {
		return served.Group == group && served.Kind == kind && slices.Contains(served.Versions, version)
	}
	return len(r.Served) == 0 || slices.ContainsFunc(r.Served, serves)
}

// Speaks says whether the host knows what was added in a version of the protocol.
func (h Host) Speaks(major, minor int) bool {
	said := h.Protocol
	if said == "" {
		said = "1.0"
	}
	before, after, _ := strings.Cut(said, ".")
	hostMajor, err := strconv.Atoi(before)
	hostMinor, errMinor := strconv.Atoi(after)
	return err == nil && errMinor == nil && hostMajor == major && hostMinor >= minor
}

// Kubeadm returns the providers of a cluster that kubeadm makes on an infrastructure.
func Kubeadm(infrastructure string) ProvidersToInit {
	return ProvidersToInit{
		Core:           "cluster-api",
		Bootstrap:      []string{"kubeadm"},
		ControlPlane:   []string{"kubeadm"},
		Infrastructure: []string{infrastructure},
	}
}

// HelmChartPlan installs a chart with Helm.
func HelmChartPlan(chart HelmChart) CniPlan {
	return CniPlan{
		Method:          "helm-chart",
		Chart:           chart.Chart,
		Namespace:       chart.Namespace,
		NamespaceLabels: chart.NamespaceLabels,
		Release:         chart.Release,
		Repo:            chart.Repo,
		Values:          chart.Values,
		Version:         chart.Version,
	}
}

// Int returns a pointer to a number, for fields that have a default other than 0.
func Int(number int64) *int64 { return &number }
