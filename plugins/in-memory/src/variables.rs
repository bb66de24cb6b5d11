//! Variables that users can set.

use kubectl_pivot_plugin_api::capi::common_variables;
use kubectl_pivot_plugin_api::{Variable, VariableType};

pub(crate) const VM_STARTUP: &str = "vm-startup";
pub(crate) const NODE_STARTUP: &str = "node-startup";
pub(crate) const API_SERVER_STARTUP: &str = "api-server-startup";
pub(crate) const ETCD_STARTUP: &str = "etcd-startup";
pub(crate) const STARTUP_JITTER: &str = "startup-jitter";

pub(crate) fn all() -> Vec<Variable> {
    let startup = |name, what: &str| {
        let description = format!("How long a simulated {what} takes to start, for example 2s");
        Variable::new(name, VariableType::String, &description).with_default("1s")
    };
    let mut variables = common_variables();
    variables.extend([
        startup(VM_STARTUP, "machine"),
        startup(NODE_STARTUP, "node"),
        startup(API_SERVER_STARTUP, "API server"),
        startup(ETCD_STARTUP, "etcd member"),
        Variable::new(
            STARTUP_JITTER,
            VariableType::String,
            "Share of the start-up time added at random, for example 0.2",
        ),
    ]);
    variables
}

/// The declaration of one variable, for errors about its value.
pub(crate) fn declared(name: &str) -> Variable {
    all().into_iter().find(|variable| variable.name == name).unwrap_or_default()
}
