//! The simulated machines: what starts on them, and how long that takes.

use kubectl_pivot_plugin_api::values::invalid;
use kubectl_pivot_plugin_api::{PluginResult, Values};
use serde_json::{Map, Value, json};

use crate::variables::{
    API_SERVER_STARTUP, ETCD_STARTUP, NODE_STARTUP, STARTUP_JITTER, VM_STARTUP, declared,
};

/// `spec.template.spec` of the control plane's machine template.
pub(crate) fn control_plane(values: &Values) -> PluginResult<Value> {
    let parts = [
        ("vm", VM_STARTUP),
        ("node", NODE_STARTUP),
        ("apiServer", API_SERVER_STARTUP),
        ("etcd", ETCD_STARTUP),
    ];
    machine(&parts, values)
}

/// `spec.template.spec` of the workers' machine template.
pub(crate) fn worker(values: &Values) -> PluginResult<Value> {
    machine(&[("vm", VM_STARTUP), ("node", NODE_STARTUP)], values)
}

fn machine(parts: &[(&str, &str)], values: &Values) -> PluginResult<Value> {
    let mut backend = Map::new();
    for &(part, variable) in parts {
        let duration = values.text(variable)?;
        if !is_duration(duration) {
            let why = format!("`{duration}` is not a duration such as 500ms, 2s or 1m30s");
            return Err(invalid(&declared(variable), &why));
        }
        let mut provisioning = json!({"startupDuration": duration});
        if let Some(jitter) = values.optional_text(STARTUP_JITTER) {
            if !jitter.parse::<f64>().is_ok_and(|share| (0.0..=1.0).contains(&share)) {
                let why = format!("`{jitter}` is not a number from 0 to 1");
                return Err(invalid(&declared(STARTUP_JITTER), &why));
            }
            provisioning["startupJitter"] = jitter.into();
        }
        backend.insert(part.to_owned(), json!({"provisioning": provisioning}));
    }
    Ok(json!({"backend": {"inMemory": backend}}))
}

/// A duration as Go writes it: numbers, each with a unit.
fn is_duration(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, with_unit) = rest.split_at(unit_at);
        let unit = ["ms", "us", "ns", "h", "m", "s"].into_iter().find(|u| with_unit.starts_with(u));
        match (number.parse::<f64>(), unit) {
            (Ok(_), Some(unit)) => rest = &with_unit[unit.len()..],
            _ => return false,
        }
    }
    !text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::is_duration;

    #[test]
    fn knows_the_durations_of_go() {
        for text in ["1s", "500ms", "1m30s", "0.5s", "2h"] {
            assert!(is_duration(text), "{text}");
        }
        for text in ["", "1", "s", "1 s", "1d", "-1s", "1.2.3s"] {
            assert!(!is_duration(text), "{text}");
        }
    }
}
