//! The chart, with values that follow from the cluster.

use kubectl_pivot_plugin_api::{
    CniRequest, HelmChart, PluginError, PluginResult, Values, merge_values,
};
use serde_json::{Map, json};

use crate::variables;

pub(crate) fn chart(request: &CniRequest, values: &Values) -> PluginResult<HelmChart> {
    let (v4, v6) = request.cluster.pod_cidrs_by_version()?;
    let backend = values.text(variables::BACKEND)?;
    let mut chart_values = Map::from_iter([("flannel".to_owned(), json!({"backend": backend}))]);
    // An empty range switches the IP version off, where the chart has a default of its own.
    for (value, ranges) in [("podCidr", v4), ("podCidrv6", v6)] {
        let range = match ranges[..] {
            [] => "",
            [range] => range,
            _ => return Err(too_many(&ranges)),
        };
        chart_values.insert(value.to_owned(), json!(range));
    }
    merge_values(&mut chart_values, &request.values);
    Ok(HelmChart {
        repo: "https://flannel-io.github.io/flannel/".to_owned(),
        chart: "flannel".to_owned(),
        version: values.text(variables::CHART_VERSION)?.to_owned(),
        namespace: "kube-flannel".to_owned(),
        namespace_labels: [(
            "pod-security.kubernetes.io/enforce".to_owned(),
            "privileged".to_owned(),
        )]
        .into(),
        release: "flannel".to_owned(),
        values: chart_values,
    })
}

fn too_many(ranges: &[&str]) -> PluginError {
    let message =
        format!("Flannel takes one range of each IP version, and there are {}", ranges.join(", "));
    PluginError::unsupported(message).with_hint("use one range, or `--cni cilium`")
}
