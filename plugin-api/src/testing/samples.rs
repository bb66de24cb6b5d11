//! Values and requests to try.

use serde_json::{Map, Value, json};

use crate::variable::{Variable, VariableType};

/// A value for every required variable.
pub(super) fn required_values(variables: &[Variable]) -> Map<String, Value> {
    let required = variables.iter().filter(|variable| variable.required);
    required.map(|variable| (variable.name.clone(), right_value(variable))).collect()
}

fn right_value(variable: &Variable) -> Value {
    if let Some(choice) = variable.choices.first() {
        return json!(choice);
    }
    match variable.kind {
        VariableType::Integer => json!(variable.minimum.unwrap_or(1).max(1)),
        VariableType::Boolean => json!(true),
        VariableType::List => json!(["sample"]),
        VariableType::CidrList => json!(["10.0.0.0/16"]),
        _ => json!("sample"),
    }
}

/// A value of the wrong type, where there can be one.
pub(super) fn wrong_value(variable: &Variable) -> Option<Value> {
    match variable.kind {
        VariableType::String | VariableType::List => Some(json!({"not": "expected"})),
        VariableType::Integer | VariableType::Boolean => Some(json!("neither")),
        VariableType::CidrList => Some(json!(["10.0.0.0/99"])),
        _ => None,
    }
}

/// A cluster, about which nothing special is known.
pub(super) fn cluster(variables: &[Variable]) -> Value {
    json!({
        "name": "conformance",
        "namespace": "conformance-ns",
        "kubernetesVersion": "v1.33.0",
        "variables": required_values(variables),
    })
}

/// A cluster that gets a network.
pub(super) fn cni(variables: &[Variable]) -> Value {
    json!({
        "cluster": {
            "name": "conformance",
            "namespace": "conformance-ns",
            "infrastructure": "conformance",
            "podCidrs": ["192.168.0.0/16"],
            "serviceCidrs": ["10.96.0.0/12"],
            "kubernetesVersion": "v1.33.0",
            "apiEndpoint": {"host": "172.18.0.3", "port": 6443},
        },
        "variables": required_values(variables),
    })
}
