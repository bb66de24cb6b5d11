//! The conformance kit finds the mistakes that authors make, each as one sentence.

use kubectl_pivot_plugin_api::{PluginError, testing};
use serde_json::{Value, json};

/// The findings for a plugin that answers these methods.
fn findings(answers: &Value) -> Vec<String> {
    testing::check(&|method, _| match answers.get(method) {
        Some(answer) => Ok(answer.to_string().into_bytes()),
        None => Err(PluginError::internal("not today")),
    })
}

fn infrastructure(provider: &str, version: &str, objects: &Value) -> Value {
    let info = json!({
        "name": "potato", "kind": "infrastructure", "protocol": "1.1", "version": version,
        "description": "Potatoes", "provider": "potato",
    });
    json!({
        "info": info, "variables": [], "bootstrap": {}, "cni": {"choice": "not-needed"},
        "providers": {"infrastructure": [provider]}, "render": {"objects": objects},
        "probes": [{"name": "p", "kind": "Potato", "expression": "", "waiting": "Waiting"}],
    })
}

fn cluster(refers_to: &str) -> Value {
    let reference = |name: &str| json!({"apiGroup": "a", "kind": "PotatoCluster", "name": name});
    let meta = |name: &str| json!({"name": name, "namespace": "conformance-ns"});
    json!([
        {
            "apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
            "metadata": meta("conformance"),
            "spec": {"infrastructureRef": reference(refers_to)},
        },
        {"apiVersion": "a/v1", "kind": "PotatoCluster", "metadata": meta("field")},
    ])
}

/// Other findings are about other mistakes of these plugins.
fn assert_only_the_first(wrong: &Value, right: &Value, expected: &str) {
    let is_it = |finding: &&String| finding.as_str() == expected;
    let (wrong, right) = (findings(wrong), findings(right));
    assert_eq!(wrong.iter().filter(is_it).count(), 1, "{wrong:#?}");
    assert_eq!(right.iter().filter(is_it).count(), 0, "{right:#?}");
}

#[test]
fn a_reference_to_nothing_is_found() {
    assert_only_the_first(
        &infrastructure("potato", "1.0.0", &cluster("feild")),
        &infrastructure("potato", "1.0.0", &cluster("field")),
        r#"the Cluster has the infrastructureRef "PotatoCluster" "feild", which is not rendered"#,
    );
}

#[test]
fn facts_about_kinds_of_others_are_found() {
    let moving = |group: &str| {
        let mut plugin = infrastructure("potato", "1.0.0", &json!([]));
        plugin["move"] = json!({"kinds": [{"group": group, "kind": "Cluster"}]});
        plugin
    };
    assert_only_the_first(
        &moving("cluster.x-k8s.io"),
        &moving("potato.example.io"),
        "`move` cannot be used for Cluster.cluster.x-k8s.io: it is not a kind of the provider",
    );
}

#[test]
fn a_provider_of_another_name_is_found() {
    assert_only_the_first(
        &infrastructure("tomato", "1.0.0", &json!([])),
        &infrastructure("potato", "1.0.0", &json!([])),
        "`info` names the provider `potato`, and `providers` the infrastructure providers [tomato]",
    );
}

#[test]
fn a_version_that_is_no_version_is_found() {
    for right in ["1.0.0", "0.1.0-rc.1", "2026.11"] {
        assert_only_the_first(
            &infrastructure("potato", "one", &json!([])),
            &infrastructure("potato", right, &json!([])),
            "the version `one` is not of a form such as 1.2.0",
        );
    }
}

/// It is asked for probes of all clusters and of one.
#[test]
fn a_problem_that_occurs_twice_is_reported_once() {
    let findings = findings(&infrastructure("potato", "1.0.0", &json!([])));
    let expected = "the probe `p` has no expression";
    assert_eq!(findings.iter().filter(|finding| *finding == expected).count(), 1, "{findings:#?}");
}

#[test]
fn a_chart_without_a_version_and_values_that_are_lost_are_found() {
    let plugin = |version: &str, values: &Value| {
        let chart = json!({
            "method": "helm-chart", "repo": "https://example.com", "chart": "mash",
            "release": "mash",
            "namespace": "kube-system", "version": version, "values": values,
        });
        let info = json!({
            "name": "mash", "kind": "cni", "protocol": "1.1", "version": "1.0.0",
            "description": "Mash",
        });
        json!({"info": info, "variables": [], "plan": {"plan": chart}, "probes": []})
    };
    let (wrong, right) = (
        plugin("", &json!({})),
        plugin("1.0.0", &json!({"kubectlPivotConformance": {"nested": true}})),
    );
    assert_only_the_first(&wrong, &right, "the chart has no version");
    let lost = "the chart loses the values that are given: merge `request.values` over its own";
    assert_only_the_first(&wrong, &right, lost);
}
