//! Choices of the user over the plugin's: another chart, another repository, another way.

use std::collections::BTreeMap;

use blueprint::{Blueprint, NetworkPlan, unknown_endpoint};
use kubectl_pivot_plugin_api::{CniPlan, HelmChart};

use crate::context::draft;
use crate::document::CniVia;
use crate::error::StepError;
use crate::spec::Spec;

/// The label by which a HelmChartProxy finds the Cluster; its value is the Cluster's name, so that
/// two Clusters of one namespace do not get the charts of each other. Cluster API refuses Clusters
/// whose name is no value of a label.
const LABEL: &str = "kubectl-pivot.io/cni";

/// The plan of the plugin as the user wants it; nothing if no network is needed.
pub(in crate::steps) fn chosen(
    spec: &Spec,
    network: NetworkPlan,
) -> Result<Option<CniPlan>, StepError> {
    let NetworkPlan { plan, plugin, .. } = network;
    Ok(match plan {
        Some(CniPlan::HelmChart(chart)) => Some(match spec.cni_via().unwrap_or(CniVia::Helm) {
            CniVia::Helm => CniPlan::HelmChart(placed(spec, chart)),
            CniVia::Addon => proxied(spec, chart, BTreeMap::new()),
        }),
        Some(CniPlan::HelmChartProxy { chart, .. }) if spec.cni_via() == Some(CniVia::Helm) => {
            Some(CniPlan::HelmChart(placed(spec, chart)))
        }
        Some(CniPlan::HelmChartProxy { chart, cluster_labels }) => {
            if spec.document.spec.cni_chart.is_some() {
                return Err(StepError::refused(
                    "--cni-chart cannot be used: the Helm add-on provider reads charts from \
                     repositories",
                    "name the repository with --cni-repo URL, or let helm install the chart",
                ));
            }
            Some(proxied(spec, chart, cluster_labels))
        }
        plan => {
            refuse_chart(spec, &plugin)?;
            plan
        }
    })
}

/// Returns true if the Helm add-on provider installs the network, because the user or the plugin
/// wants it.
///
/// # Errors
/// A plugin refuses.
pub(crate) fn is_by_addon(spec: &Spec, blueprint: &Blueprint) -> Result<bool, StepError> {
    let network = blueprint.network(&draft(spec, blueprint)?, Some(unknown_endpoint()))?;
    Ok(matches!(chosen(spec, network)?, Some(CniPlan::HelmChartProxy { .. })))
}

/// The chart by way of the add-on provider, for this Cluster and no other one.
fn proxied(spec: &Spec, chart: HelmChart, mut labels: BTreeMap<String, String>) -> CniPlan {
    labels.insert(LABEL.to_owned(), spec.name.clone());
    CniPlan::HelmChartProxy { chart: placed(spec, chart), cluster_labels: labels }
}

/// The chart from where the user has it. A chart that is here has the version that it has.
fn placed(spec: &Spec, mut chart: HelmChart) -> HelmChart {
    let given = &spec.document.spec;
    if let Some(path) = &given.cni_chart {
        chart.chart = path.display().to_string();
        chart.repo.clear();
        chart.version.clear();
    } else if let Some(repo) = &given.cni_repo {
        chart.repo.clone_from(repo);
    }
    chart
}

fn refuse_chart(spec: &Spec, plugin: &str) -> Result<(), StepError> {
    let given = &spec.document.spec;
    let flags = [
        ("--cni-chart", given.cni_chart.is_some()),
        ("--cni-repo", given.cni_repo.is_some()),
        ("--cni-values", given.cni_values.is_some()),
    ];
    match flags.into_iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((flag, _)) => Err(StepError::refused(
            format!("{flag} is given, and the network of {plugin} is no chart"),
            format!(
                "leave {flag} out, or choose a CNI plugin with a chart, for example --cni cilium"
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use crate::document::{PivotDocument, PivotMetadata, PivotSpec};

    use super::*;

    fn plan(
        change: impl FnOnce(&mut PivotSpec),
        plan: CniPlan,
    ) -> Result<Option<CniPlan>, StepError> {
        let mut wanted =
            PivotSpec { infrastructure: Some("docker".to_owned()), ..PivotSpec::default() };
        change(&mut wanted);
        let metadata = PivotMetadata { name: Some("pivot".to_owned()), namespace: None };
        let document = PivotDocument { metadata, spec: wanted, ..PivotDocument::default() };
        let spec = Spec::resolve(document).expect("complete");
        let network =
            NetworkPlan { plan: Some(plan), plugin: "cilium".to_owned(), ..NetworkPlan::default() };
        chosen(&spec, network)
    }

    fn chart() -> HelmChart {
        HelmChart {
            repo: "https://helm.cilium.io/".to_owned(),
            chart: "cilium".to_owned(),
            version: "1.2.3".to_owned(),
            ..HelmChart::default()
        }
    }

    #[test]
    fn charts_come_from_where_the_user_has_them() {
        let from = |change: fn(&mut PivotSpec)| match plan(change, CniPlan::HelmChart(chart())) {
            Ok(Some(CniPlan::HelmChart(chart))) => (chart.repo, chart.chart, chart.version),
            other => panic!("no chart: {other:?}"),
        };
        let words = |repo: &str, chart: &str, version: &str| {
            (repo.to_owned(), chart.to_owned(), version.to_owned())
        };
        assert_eq!(from(|_| {}), words("https://helm.cilium.io/", "cilium", "1.2.3"));
        let mirror = from(|spec| spec.cni_repo = Some("oci://mirror/charts".to_owned()));
        assert_eq!(mirror, words("oci://mirror/charts", "cilium", "1.2.3"));
        let local = from(|spec| spec.cni_chart = Some("/x/cilium.tgz".into()));
        assert_eq!(local, words("", "/x/cilium.tgz", ""));
    }

    #[test]
    fn the_add_on_provider_gets_the_chart_and_a_label() {
        let addon = |spec: &mut PivotSpec| spec.cni_via = Some(CniVia::Addon);
        let Ok(Some(CniPlan::HelmChartProxy { chart, cluster_labels })) =
            plan(addon, CniPlan::HelmChart(chart()))
        else {
            panic!("no proxy")
        };
        assert_eq!(chart.repo, "https://helm.cilium.io/");
        assert_eq!(cluster_labels[LABEL], "pivot");
    }

    #[test]
    fn the_user_has_the_last_word_on_who_installs() {
        let proxy = || CniPlan::HelmChartProxy { chart: chart(), cluster_labels: BTreeMap::new() };
        let helm = |spec: &mut PivotSpec| spec.cni_via = Some(CniVia::Helm);
        assert!(matches!(plan(helm, proxy()), Ok(Some(CniPlan::HelmChart(_)))));
        assert!(matches!(plan(|_| {}, proxy()), Ok(Some(CniPlan::HelmChartProxy { .. }))));
    }

    #[test]
    fn labels_of_a_plugin_select_no_other_cluster() {
        let cluster_labels = BTreeMap::from([("cni".to_owned(), "cilium".to_owned())]);
        let proxy = CniPlan::HelmChartProxy { chart: chart(), cluster_labels };
        let Ok(Some(CniPlan::HelmChartProxy { cluster_labels, .. })) = plan(|_| {}, proxy) else {
            panic!("no proxy")
        };
        assert_eq!((&*cluster_labels["cni"], &*cluster_labels[LABEL]), ("cilium", "pivot"));
    }

    #[test]
    fn options_of_charts_are_refused_without_one() {
        let values = |spec: &mut PivotSpec| spec.cni_values = Some("x".into());
        let error = plan(values, CniPlan::Manifests { objects: Vec::new() });
        let error = error.expect_err("it is no chart").to_string();
        assert!(error.starts_with("--cni-values"), "{error}");
        let local = |spec: &mut PivotSpec| spec.cni_chart = Some("x".into());
        let proxy = CniPlan::HelmChartProxy { chart: chart(), cluster_labels: BTreeMap::new() };
        assert!(plan(local, proxy).is_err());
    }
}
