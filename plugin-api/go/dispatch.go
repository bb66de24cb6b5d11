package pivotplugin

import (
	"encoding/json"
	"maps"
)

type infrastructure struct{ plugin Infrastructure }

func (d infrastructure) answer(method string, request json.RawMessage) (any, error) {
	switch method {
	case "info":
		return stamp(d.plugin.Info(), PluginKindInfrastructure), nil
	case "variables":
		return listed(d.plugin.Variables(), nil)
	case "probes":
		return d.probes(request)
	case "addons":
		return d.addons(request)
	case "move":
		return d.moving(request)
	case "providers", "bootstrap", "render", "cni", "reach":
		cluster, err := d.cluster(request)
		if err != nil {
			return nil, err
		}
		return d.about(method, cluster)
	}
	return nil, unknownMethod(method)
}

func (d infrastructure) about(method string, cluster Cluster) (any, error) {
	switch method {
	case "providers":
		return d.plugin.Providers(cluster)
	case "render":
		return d.plugin.Render(cluster)
	case "bootstrap":
		if plugin, ok := d.plugin.(Bootstrapper); ok {
			return plugin.Bootstrap(cluster)
		}
		return BootstrapRequirements{}, nil
	case "reach":
		if plugin, ok := d.plugin.(Reacher); ok {
			return plugin.Reach(cluster)
		}
		return Reach{}, nil
	default:
		if plugin, ok := d.plugin.(NetworkChooser); ok {
			return plugin.CNI(cluster)
		}
		return CniChoice{Choice: "plugin", Name: "cilium"}, nil
	}
}

func (d infrastructure) cluster(request json.RawMessage) (Cluster, error) {
	cluster := Cluster{ClusterRequest: ClusterRequest{Namespace: "default"}}
	if err := read(request, &cluster.ClusterRequest); err != nil {
		return cluster, err
	}
	var err error
	cluster.Values, err = Resolve(d.plugin.Variables(), cluster.Variables)
	return cluster, err
}

func (d infrastructure) addons(request json.RawMessage) (any, error) {
	var about Extended
	if err := read(request, &about.AddonsRequest); err != nil {
		return nil, err
	}
	plugin, ok := d.plugin.(Extender)
	if !ok {
		return Addons{Addons: []Addon{}}, nil
	}
	var err error
	about.Values, err = Resolve(d.plugin.Variables(), about.Variables)
	if err != nil {
		return nil, err
	}
	addons, err := plugin.Addons(about)
	if addons.Addons == nil {
		addons.Addons = []Addon{}
	}
	return addons, err
}

func (d infrastructure) moving(request json.RawMessage) (any, error) {
	var about MoveRequest
	if err := read(request, &about); err != nil {
		return nil, err
	}
	if plugin, ok := d.plugin.(Mover); ok {
		return plugin.Moving(about)
	}
	return MoveKnowledge{}, nil
}

func (d infrastructure) probes(request json.RawMessage) (any, error) {
	var about Probed
	if err := read(request, &about.ProbesRequest); err != nil {
		return nil, err
	}
	plugin, ok := d.plugin.(Prober)
	if !ok {
		return []Probe{}, nil
	}
	values, err := Resolve(optional(d.plugin.Variables()), about.Variables)
	if err != nil {
		return nil, err
	}
	about.Values = values
	return listed(plugin.Probes(about))
}

// optional declares the same variables, none of which is required: a move does not know their values.
func optional(declared []Variable) []Variable {
	declared = append([]Variable(nil), declared...)
	for at := range declared {
		declared[at].Required = false
	}
	return declared
}

type network struct{ plugin Network }

func (d network) answer(method string, request json.RawMessage) (any, error) {
	switch method {
	case "info":
		return stamp(d.plugin.Info(), PluginKindCni), nil
	case "variables":
		return listed(d.plugin.Variables(), nil)
	case "plan":
		about, err := d.request(request, d.plugin.Variables())
		if err != nil {
			return nil, err
		}
		install, err := d.plugin.Plan(about)
		if err == nil {
			install.Plan = withValues(install.Plan, about.CniRequest.Values)
		}
		return install, err
	case "probes":
		about, err := d.request(request, optional(d.plugin.Variables()))
		if err != nil {
			return nil, err
		}
		if plugin, ok := d.plugin.(NetworkProber); ok {
			return listed(plugin.Probes(about))
		}
		return []Probe{}, nil
	}
	return nil, unknownMethod(method)
}

func (d network) request(request json.RawMessage, declared []Variable) (NetworkRequest, error) {
	var about NetworkRequest
	if err := read(request, &about.CniRequest); err != nil {
		return about, err
	}
	var err error
	about.Resolved, err = Resolve(declared, about.Variables)
	return about, err
}

// withValues puts the values of the user over those of the chart.
func withValues(plan CniPlan, values map[string]any) CniPlan {
	switch plan.Method {
	case "helm-chart":
		plan.Values = merged(plan.Values, values)
	case "helm-chart-proxy":
		if chart, ok := plan.Chart.(HelmChart); ok {
			chart.Values = merged(chart.Values, values)
			plan.Chart = chart
		}
	}
	return plan
}

// merged puts over on top of base: objects are merged field by field, all else is replaced.
func merged(base, over map[string]any) map[string]any {
	result := map[string]any{}
	maps.Copy(result, base)
	for name, value := range over {
		below, isObject := result[name].(map[string]any)
		above, mergeable := value.(map[string]any)
		if isObject && mergeable {
			value = merged(below, above)
		}
		result[name] = value
	}
	return result
}
