//! Rules for CNI plugins.

use serde_json::json;

use super::common::{Caller, Findings, check_objects, check_probes, check_refusals, check_stable};
use super::samples;
use crate::cni::{CniInstall, CniPlan, HelmChart};
use crate::probe::Probe;
use crate::protocol::method;
use crate::variable::Variable;

/// A value for the chart that no chart has.
const MARKER: &str = "kubectlPivotConformance";

pub(super) fn check(caller: &Caller<'_>, variables: &[Variable], findings: &mut Findings) {
    let request = samples::cni(variables);
    check_stable(caller, (method::PLAN, &request), findings);
    check_refusals(caller, (method::PLAN, &request), variables, findings);
    let mut marked = request.clone();
    marked["values"] = json!({MARKER: {"nested": true}});
    if let Some(install) = caller.get::<CniInstall>(findings, method::PLAN, &marked) {
        check_plan(&install.plan, findings);
    }
    if let Some(probes) = caller.get::<Vec<Probe>>(findings, method::PROBES, &request) {
        check_probes(&probes, findings);
    }
    let mut malformed = request.clone();
    malformed["cluster"]["podCidrs"] = json!(["not-a-range"]);
    if let Err(error) = caller.call(method::PLAN, &malformed) {
        findings.add_if(error.code == crate::ErrorCode::Panic, || {
            format!("`plan` panics for a malformed range: {error}")
        });
    }
}

fn check_plan(plan: &CniPlan, findings: &mut Findings) {
    match plan {
        CniPlan::HelmChart(chart) | CniPlan::HelmChartProxy { chart, .. } => {
            check_chart(chart, findings);
        }
        CniPlan::Manifests { objects } => check_objects(objects, findings),
        CniPlan::Unknown => findings.add("`plan` uses a method that this version does not know"),
    }
}

fn check_chart(chart: &HelmChart, findings: &mut Findings) {
    for (field, value) in [
        ("repository", &chart.repo),
        ("name", &chart.chart),
        ("namespace", &chart.namespace),
        ("release", &chart.release),
        ("version", &chart.version),
    ] {
        findings.add_if(value.is_empty(), || format!("the chart has no {field}"));
    }
    findings.add_if(chart.values.get(MARKER) != Some(&json!({"nested": true})), || {
        "the chart loses the values that are given: merge `request.values` over its own".to_owned()
    });
    let fetched = ["https://", "oci://"].iter().any(|scheme| chart.repo.starts_with(scheme));
    findings
        .add_if(!fetched, || format!("the repository `{}` is neither https nor oci", chart.repo));
}
