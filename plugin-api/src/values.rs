//! Values for variables: defaults filled in, types checked, mistakes explained.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::cidr;
use crate::error::{ErrorCode, PluginError, PluginResult};
use crate::variable::{Variable, VariableType};

/// The values of all variables of a plugin, checked against their declarations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values(BTreeMap<String, Value>);

impl Values {
    /// Checks `given` against `declared` and fills in the defaults.
    ///
    /// A string is accepted for every type, since that is what a command line gives.
    ///
    /// # Errors
    /// [`ErrorCode::UnknownVariable`] with the nearest names, [`ErrorCode::InvalidVariable`] and
    /// [`ErrorCode::MissingVariable`] with the place where the variable can be set.
    pub fn resolve(declared: &[Variable], given: &Map<String, Value>) -> PluginResult<Self> {
        for name in given.keys() {
            if !declared.iter().any(|variable| variable.name == *name) {
                return Err(unknown(declared, name));
            }
        }
        let (mut values, mut absent) = (BTreeMap::new(), Vec::new());
        for variable in declared {
            let value = given.get(&variable.name).filter(|value| !value.is_null());
            match value.or(variable.default.as_ref()) {
                Some(value) => values.insert(variable.name.clone(), check(variable, value)?),
                None => {
                    absent.extend(variable.required.then_some(variable));
                    None
                }
            };
        }
        match absent.as_slice() {
            [] => Ok(Self(values)),
            absent => Err(missing(absent)),
        }
    }

    /// The text of `name`, if it has a value.
    pub fn optional_text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// The text of `name`.
    ///
    /// # Errors
    /// [`ErrorCode::Internal`] if the plugin declares no such variable with a default.
    pub fn text(&self, name: &str) -> PluginResult<&str> {
        self.optional_text(name).ok_or_else(|| undeclared(name, "string"))
    }

    /// The whole number `name`.
    ///
    /// # Errors
    /// As [`Values::text`].
    pub fn integer(&self, name: &str) -> PluginResult<i64> {
        self.0.get(name).and_then(Value::as_i64).ok_or_else(|| undeclared(name, "integer"))
    }

    /// Returns whether `name` is true.
    ///
    /// # Errors
    /// As [`Values::text`].
    pub fn boolean(&self, name: &str) -> PluginResult<bool> {
        self.0.get(name).and_then(Value::as_bool).ok_or_else(|| undeclared(name, "boolean"))
    }

    /// The list `name`.
    ///
    /// # Errors
    /// As [`Values::text`].
    pub fn list(&self, name: &str) -> PluginResult<Vec<String>> {
        self.0.get(name).and_then(strings).ok_or_else(|| undeclared(name, "list"))
    }

    /// Any value, if it has one.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

/// Adds values from the environment for the variables in `declared` that `given` lacks.
///
/// `lookup` reads one environment variable; it is a parameter so that nothing here depends on
/// the process. Empty values count as absent.
pub fn fill_from_env(
    declared: &[Variable],
    given: &mut Map<String, Value>,
    lookup: impl Fn(&str) -> Option<String>,
) {
    for variable in declared {
        if given.contains_key(&variable.name) {
            continue;
        }
        let found = variable.env.as_deref().and_then(&lookup).filter(|value| !value.is_empty());
        if let Some(value) = found {
            given.insert(variable.name.clone(), Value::String(value));
        }
    }
}

/// At most three of `names` that resemble `wanted`, best first.
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut scored: Vec<_> = names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(wanted, name), name))
        .filter(|(score, _)| *score > 0.75)
        .collect();
    scored.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

fn unknown(declared: &[Variable], name: &str) -> PluginError {
    let names = declared.iter().map(|variable| variable.name.as_str());
    let similar = nearest(name, names.clone());
    let hint = match (similar.is_empty(), declared.is_empty()) {
        (false, _) => format!("did you mean {}?", similar.join(", ")),
        (true, true) => "this plugin has no variables".to_owned(),
        (true, false) => format!("its variables are {}", names.collect::<Vec<_>>().join(", ")),
    };
    PluginError::new(ErrorCode::UnknownVariable, format!("there is no variable `{name}`"))
        .with_variable(name)
        .with_hint(hint)
}

/// All variables that are missing, so that nobody has to learn of them one by one.
fn missing(absent: &[&Variable]) -> PluginError {
    let each = absent.iter().map(|absent| format!("`{}` ({})", absent.name, absent.description));
    let (message, hint) = match absent {
        [variable] => (
            format!("variable `{}` is required: {}", variable.name, variable.description),
            variable.where_to_set(),
        ),
        _ => (
            format!("variables are required: {}", each.collect::<Vec<_>>().join(", ")),
            where_to_set(absent),
        ),
    };
    let error = PluginError::new(ErrorCode::MissingVariable, message).with_hint(hint);
    match absent.first() {
        Some(first) => error.with_variable(&first.name),
        None => error,
    }
}

fn where_to_set(absent: &[&Variable]) -> String {
    let names: Vec<_> = absent.iter().filter_map(|variable| variable.env.as_deref()).collect();
    let hint = "set each with `--set NAME=VALUE`";
    if names.is_empty() {
        return hint.to_owned();
    }
    format!("{hint} or the environment variables {}", names.join(", "))
}

/// A variable whose value is not allowed, for checks that a type cannot express.
pub fn invalid(variable: &Variable, why: &str) -> PluginError {
    PluginError::new(ErrorCode::InvalidVariable, format!("variable `{}`: {why}", variable.name))
        .with_variable(&variable.name)
        .with_hint(variable.where_to_set())
}

fn undeclared(name: &str, kind: &str) -> PluginError {
    PluginError::internal(format!("the plugin reads variable `{name}` as {kind} without a default"))
}

fn check(variable: &Variable, value: &Value) -> PluginResult<Value> {
    let checked = convert(variable.kind, value).map_err(|why| invalid(variable, &why))?;
    if let (Some(minimum), Some(number)) = (variable.minimum, checked.as_i64())
        && number < minimum
    {
        return Err(invalid(variable, &format!("{number} is less than {minimum}")));
    }
    let text = checked.as_str();
    if !variable.choices.is_empty()
        && !text.is_some_and(|text| variable.choices.iter().any(|choice| choice == text))
    {
        let choices = variable.choices.join(", ");
        return Err(invalid(
            variable,
            &format!("expected one of {choices}, got {}", show(variable, value)),
        ));
    }
    Ok(checked)
}

fn show(variable: &Variable, value: &Value) -> String {
    if variable.secret { "a secret value".to_owned() } else { value.to_string() }
}

fn convert(kind: VariableType, value: &Value) -> Result<Value, String> {
    let converted = match kind {
        VariableType::String => text(value).map(Value::String),
        VariableType::Integer => match value {
            Value::String(text) => text.trim().parse::<i64>().ok().map(Value::from),
            other => other.as_i64().map(Value::from),
        },
        VariableType::Boolean => match value {
            Value::String(text) => text.trim().parse::<bool>().ok().map(Value::Bool),
            other => other.as_bool().map(Value::Bool),
        },
        VariableType::List => list(value).map(Value::from),
        VariableType::CidrList => match list(value) {
            Some(ranges) => {
                ranges.iter().try_for_each(|range| cidr::parse(range).map(drop))?;
                Some(Value::from(ranges))
            }
            None => None,
        },
        VariableType::Json => Some(match value {
            Value::String(text) => {
                serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
            }
            other => other.clone(),
        }),
        VariableType::Unknown => Some(value.clone()),
    };
    converted.ok_or_else(|| format!("expected a value of type {}", kind.as_str()))
}

/// Scalars are text, so that `--set version=1.33` works however it was parsed on the way.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn list(value: &Value) -> Option<Vec<String>> {
    let Value::String(text) = value else { return strings(value) };
    let text = text.trim();
    if text.starts_with('[') {
        return serde_json::from_str::<Value>(text).ok().as_ref().and_then(strings);
    }
    Some(
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect(),
    )
}

fn strings(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
#[path = "values_tests.rs"]
mod tests;
