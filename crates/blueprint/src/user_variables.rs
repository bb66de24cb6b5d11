//! The variables that a user has set, for two plugins at once.

use kubectl_pivot_plugin_api::values::fill_from_env;
use kubectl_pivot_plugin_api::{Values, Variable};
use serde_json::{Map, Value};

use super::error::BlueprintError;
use super::request::BlueprintRequest;

/// The variables of the command line or a document.
#[derive(Clone, Debug)]
pub(super) struct UserVariables(Map<String, Value>);

impl UserVariables {
    pub(super) fn new(request: &BlueprintRequest) -> Self {
        Self(request.variables.iter().cloned().collect())
    }

    /// Those that a plugin declares, and what the environment has for it.
    pub(super) fn for_plugin(&self, declared: &[Variable]) -> Map<String, Value> {
        let is_declared = |name: &String| declared.iter().any(|variable| variable.name == *name);
        let given = self.0.iter().filter(|(name, _)| is_declared(name));
        let mut given = given.map(|(name, value)| (name.clone(), value.clone())).collect();
        fill_from_env(declared, &mut given, |name| std::env::var(name).ok());
        given
    }

    pub(super) fn has_others(&self, declared: &[Variable]) -> bool {
        !self.others(declared).is_empty()
    }

    /// Fails on the first variable that nobody declares.
    pub(super) fn refuse_unknown(&self, declared: &[Variable]) -> Result<(), BlueprintError> {
        let others = self.others(declared);
        if others.is_empty() { Ok(()) } else { check(declared, &others) }
    }

    fn others(&self, declared: &[Variable]) -> Map<String, Value> {
        let is_other = |name: &String| declared.iter().all(|variable| variable.name != *name);
        let others = self.0.iter().filter(|(name, _)| is_other(name));
        others.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// The same variables, of which none must have a value.
pub(super) fn optional(declared: &[Variable]) -> Vec<Variable> {
    declared.iter().map(|variable| Variable { required: false, ..variable.clone() }).collect()
}

/// Names the variable that is wrong, and where it can be set.
pub(super) fn check(
    declared: &[Variable],
    given: &Map<String, Value>,
) -> Result<(), BlueprintError> {
    Values::resolve(declared, given).map(drop).map_err(BlueprintError::Variable)
}

#[cfg(test)]
mod tests {
    use kubectl_pivot_plugin_api::VariableType;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_removal_demands_no_value_and_refuses_wrong_ones() {
        let declared = [Variable::new("machines", VariableType::Integer, "Machines").required()];
        assert!(check(&declared, &Map::new()).is_err());
        let optional = optional(&declared);
        assert!(check(&optional, &Map::new()).is_ok());
        let wrong = Map::from_iter([("machines".to_owned(), json!("many"))]);
        assert!(check(&optional, &wrong).is_err());
    }
}
