//! Rules for infrastructure plugins.

use serde_json::{Value, json};

use super::common::{Caller, Findings, check_objects, check_probes, check_refusals, check_stable};
use super::samples;
use crate::addons::{AddonPlan, Addons};
use crate::bootstrap::BootstrapRequirements;
use crate::cni::CniChoice;
use crate::error::ErrorCode;
use crate::info::{Maturity, PluginInfo, is_name};
use crate::manifests::Manifests;
use crate::move_knowledge::{MoveKnowledge, MovedKind};
use crate::probe::{Probe, ProbeStage};
use crate::protocol::method;
use crate::providers::ProvidersToInit;
use crate::reach::Reach;
use crate::template::ClusterctlTemplate;
use crate::variable::Variable;

pub(super) fn check(
    caller: &Caller<'_>,
    info: &PluginInfo,
    variables: &[Variable],
    findings: &mut Findings,
) {
    findings.add_if(info.provider.is_empty(), || {
        "`info` does not name the provider of Cluster API".to_owned()
    });
    let request = samples::cluster(variables);
    if let Some(providers) = caller.get::<ProvidersToInit>(findings, method::PROVIDERS, &request) {
        findings.add_if(!names_provider(&providers, &info.provider), || {
            let named = providers.infrastructure.join(", ");
            format!(
                "`info` names the provider `{}`, and `providers` the infrastructure providers \
                 [{named}]",
                info.provider
            )
        });
    }
    caller.get::<BootstrapRequirements>(findings, method::BOOTSTRAP, &request);
    if caller.get::<CniChoice>(findings, method::CNI, &request) == Some(CniChoice::Unknown) {
        findings.add("`cni` makes a choice that this version does not know");
    }
    // A plugin of protocol 1.1 or older does not know it.
    if let Ok(reach) = caller.call(method::REACH, &request) {
        match serde_json::from_slice::<Reach>(&reach) {
            Ok(reach) => check_reach(&reach, findings),
            Err(error) => findings.add(format!("the answer to `reach` is not valid: {error}")),
        }
    }
    for about in [json!({}), json!({"name": "conformance", "namespace": "conformance-ns"})] {
        if let Some(probes) = caller.get::<Vec<Probe>>(findings, method::PROBES, &about) {
            check_probes(&probes, findings);
        }
    }
    check_addons(caller, variables, findings);
    check_moving(caller, findings);
    check_stable(caller, (method::RENDER, &request), findings);
    if info.maturity == Maturity::Stub {
        check_stub(caller, &request, findings);
    } else {
        check_render(caller, &request, variables, findings);
    }
}

fn check_reach(reach: &Reach, findings: &mut Findings) {
    for query in [&reach.addresses, &reach.machine].into_iter().flatten() {
        findings.add_if(query.program.is_empty(), || "`reach` names no program".to_owned());
    }
    findings.add_if(reach.machine.is_some() && reach.addresses.is_none(), || {
        "`reach` has a machine and no addresses".to_owned()
    });
}

/// Providers may have a version, as in `docker:v1.14.2`.
fn names_provider(providers: &ProvidersToInit, name: &str) -> bool {
    let mut named = providers.infrastructure.iter();
    named.any(|provider| provider.split(':').next() == Some(name))
}

fn check_stub(caller: &Caller<'_>, request: &Value, findings: &mut Findings) {
    let refusal = caller.refusal(findings, method::RENDER, request, "a cluster, being a stub");
    let Some(error) = refusal else { return };
    findings.add_if(error.code != ErrorCode::NotImplemented, || {
        "a stub refuses to render with the code `not-implemented`".to_owned()
    });
    findings.add_if(error.hint.is_none(), || "a stub says what to do instead".to_owned());
}

fn check_render(
    caller: &Caller<'_>,
    request: &Value,
    variables: &[Variable],
    findings: &mut Findings,
) {
    check_refusals(caller, (method::RENDER, request), variables, findings);
    if let Some(manifests) = caller.get::<Manifests>(findings, method::RENDER, request) {
        check_objects(&manifests.objects, findings);
        match &manifests.template {
            Some(template) => check_template(template, findings),
            None => {
                findings
                    .add_if(manifests.objects.is_empty(), || "`render` renders nothing".to_owned());
                check_cluster(&manifests.objects, findings);
            }
        }
    }
    let mut elsewhere = request.clone();
    elsewhere["served"] =
        json!([{"group": "cluster.x-k8s.io", "kind": "Cluster", "versions": ["v99"]}]);
    let what = "a management cluster that serves only a version of the future";
    caller.refusal(findings, method::RENDER, &elsewhere, what);
}

/// The objects of a template are known to the host only.
fn check_template(template: &ClusterctlTemplate, findings: &mut Findings) {
    findings.add_if(template.provider.is_empty(), || {
        "`render` plans a template without the name of its provider".to_owned()
    });
    findings.add_if(template.version.is_empty(), || {
        "`render` plans a template without a version, so every run may get another one".to_owned()
    });
    for name in template.variables.keys() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        findings.add_if(name.is_empty() || !name.chars().all(is_word), || {
            format!("`render` gives the template a variable `{name}`, which is not a name")
        });
    }
    for patch in &template.patches {
        findings.add_if(patch.kind.is_empty() || !patch.patch.is_object(), || {
            "`render` plans a patch without a kind or without fields".to_owned()
        });
    }
}

/// Facts about a kind can be used, and stand there once.
fn check_moving(caller: &Caller<'_>, findings: &mut Findings) {
    // A plugin of an older protocol does not know the method, which is as good as nothing.
    if caller.is_unknown(method::MOVE, &json!({})) {
        return;
    }
    let Some(MoveKnowledge { kinds }) = caller.get(findings, method::MOVE, &json!({})) else {
        return;
    };
    for (at, kind) in kinds.iter().enumerate() {
        let name = format!("{}.{}", kind.kind, kind.group);
        for problem in kind.problems() {
            findings.add(format!("`move` cannot be used for {name}: {problem}"));
        }
        let is_same = |other: &&MovedKind| (&other.group, &other.kind) == (&kind.group, &kind.kind);
        findings.add_if(kinds.iter().take(at).any(|other| is_same(&other)), || {
            format!("`move` names {name} twice")
        });
    }
}

/// Add-ons have names of their own, a plan that is known, and usable probes.
fn check_addons(caller: &Caller<'_>, variables: &[Variable], findings: &mut Findings) {
    let request = samples::cni(variables);
    // A plugin of an older protocol does not know the method, which is as good as nothing.
    if caller.is_unknown(method::ADDONS, &request) {
        return;
    }
    let Some(Addons { addons, .. }) = caller.get(findings, method::ADDONS, &request) else {
        return;
    };
    for (at, addon) in addons.iter().enumerate() {
        let name = &addon.name;
        findings.add_if(!is_name(name), || {
            format!("the add-on `{name}` is not named by lowercase words joined by hyphens")
        });
        findings.add_if(addons.iter().take(at).any(|other| other.name == *name), || {
            format!("there are two add-ons `{name}`")
        });
        match &addon.plan {
            AddonPlan::Manifests { objects } => check_objects(objects, findings),
            AddonPlan::HelmChart(chart) => findings.add_if(chart.release.is_empty(), || {
                format!("the add-on `{name}` is a chart without the name of a release")
            }),
            AddonPlan::Unknown => {
                findings
                    .add(format!("the add-on `{name}` has a plan that this version does not know"));
            }
        }
        let due: Vec<Probe> = addon
            .probes
            .iter()
            .map(|probe| Probe { stages: vec![ProbeStage::CniInstalled], ..probe.clone() })
            .collect();
        check_probes(&due, findings);
    }
}

fn check_cluster(objects: &[Value], findings: &mut Findings) {
    let is_cluster = |object: &&Value| {
        object["kind"] == "Cluster"
            && object["apiVersion"].as_str().is_some_and(|v| v.starts_with("cluster.x-k8s.io/"))
    };
    let clusters: Vec<_> = objects.iter().filter(is_cluster).collect();
    let [cluster] = clusters[..] else {
        findings.add(format!("`render` renders {} Clusters instead of one", clusters.len()));
        return;
    };
    findings.add_if(cluster["metadata"]["name"] != "conformance", || {
        "the Cluster does not have the name that was asked for".to_owned()
    });
    for field in ["infrastructureRef", "controlPlaneRef"] {
        check_reference(objects, field, &cluster["spec"][field], findings);
    }
    let elsewhere = objects.iter().find(|object| {
        object["metadata"]["namespace"]
            .as_str()
            .is_some_and(|namespace| namespace != "conformance-ns")
    });
    if let Some(object) = elsewhere {
        findings.add(format!("{} is not in the namespace that was asked for", object["kind"]));
    }
}

/// An object to which a Cluster refers is rendered with it. A Cluster with a topology refers to nothing.
fn check_reference(objects: &[Value], field: &str, reference: &Value, findings: &mut Findings) {
    let is_meant = |object: &Value| {
        object["kind"] == reference["kind"] && object["metadata"]["name"] == reference["name"]
    };
    findings.add_if(!reference.is_null() && !objects.iter().any(is_meant), || {
        let (kind, name) = (&reference["kind"], &reference["name"]);
        format!("the Cluster has the {field} {kind} {name}, which is not rendered")
    });
}
