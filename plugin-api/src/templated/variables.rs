//! Variables of a plugin over a template: those of every cluster, and those of the template.

use serde_json::json;

use super::facts::{TemplateVariable, Templated};
use crate::capi::{common_variables, names as common};
use crate::variable::{Variable, VariableType};

/// Names of the variables that all plugins over templates have, besides those of
/// [`common_variables`].
pub mod names {
    /// Version of the provider and its template.
    pub const PROVIDER_VERSION: &str = "provider-version";
    /// Flavour of the template.
    pub const FLAVOUR: &str = "flavour";
    /// Parts that are installed after the network.
    pub const ADDONS: &str = "addons";
}

/// Variables that a template has for all clusters.
const COUNTED: [&str; 3] =
    [common::KUBERNETES_VERSION, common::CONTROL_PLANE_REPLICAS, common::WORKER_REPLICAS];
/// Variables whose defaults are the template's.
const RANGES: [&str; 2] = [common::POD_CIDRS, common::SERVICE_CIDRS];

pub(super) fn all(facts: &Templated) -> Vec<Variable> {
    let mut variables = Vec::new();
    for mut variable in common_variables() {
        if variable.name == common::KUBERNETES_VERSION {
            variable = variable.with_default(facts.kubernetes_version);
        }
        if RANGES.contains(&variable.name.as_str()) {
            variable.default = None;
        } else if !COUNTED.contains(&variable.name.as_str()) {
            continue;
        }
        variables.push(variable);
    }
    variables.extend(own(facts));
    variables.extend(facts.variables.iter().map(declare));
    variables
}

fn own(facts: &Templated) -> [Variable; 3] {
    use VariableType::{List, String};
    let addons: Vec<_> = facts.addons.iter().map(|addon| addon.name).collect();
    [
        Variable::new(names::PROVIDER_VERSION, String, "Version of the provider and its template")
            .with_default(facts.release),
        Variable::new(names::FLAVOUR, String, "Flavour of the template; empty for the default one")
            .with_default(""),
        Variable::new(names::ADDONS, List, "Parts that are installed after the network")
            .with_default(json!(addons)),
    ]
}

fn declare(variable: &TemplateVariable) -> Variable {
    let declared = Variable::new(&variable.name(), VariableType::String, variable.description)
        .from_env(variable.env);
    let declared = if variable.required { declared.required() } else { declared };
    if variable.secret { declared.secret() } else { declared }
}
