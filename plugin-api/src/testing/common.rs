//! Rules for plugins of both kinds.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Invoke, samples};
use crate::error::{ErrorCode, PluginError};
use crate::info::{PluginInfo, is_name};
use crate::probe::Probe;
use crate::protocol::{Compatibility, PROTOCOL, method};
use crate::values::Values;
use crate::variable::Variable;

/// Sentences about what is wrong.
#[derive(Default)]
pub(super) struct Findings(Vec<String>);

impl Findings {
    /// Adds a finding once, whichever question has led to it.
    pub(super) fn add(&mut self, finding: impl Into<String>) {
        let finding = finding.into();
        if !self.0.contains(&finding) {
            self.0.push(finding);
        }
    }

    pub(super) fn add_if(&mut self, wrong: bool, finding: impl FnOnce() -> String) {
        if wrong {
            self.add(finding());
        }
    }

    pub(super) fn into_vec(self) -> Vec<String> {
        self.0
    }
}

/// Sends requests and reads answers.
pub(super) struct Caller<'a>(&'a Invoke<'a>);

impl<'a> Caller<'a> {
    pub(super) fn new(invoke: &'a Invoke<'a>) -> Self {
        Self(invoke)
    }

    pub(super) fn call(&self, method: &str, request: &Value) -> Result<Vec<u8>, PluginError> {
        (self.0)(method, request.to_string().as_bytes())
    }

    /// Returns whether the plugin does not know the method.
    pub(super) fn is_unknown(&self, method: &str, request: &Value) -> bool {
        self.call(method, request).is_err_and(|error| error.code == ErrorCode::UnknownMethod)
    }

    /// The answer, which must be there and readable.
    pub(super) fn get<T: DeserializeOwned>(
        &self,
        findings: &mut Findings,
        method: &str,
        request: &Value,
    ) -> Option<T> {
        match self.call(method, request) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| {
                    findings.add(format!("the answer to `{method}` is not valid: {error}"))
                })
                .ok(),
            Err(error) => {
                findings.add(format!("`{method}` fails: {error}"));
                None
            }
        }
    }

    /// The error code of a request that must fail.
    pub(super) fn refusal(
        &self,
        findings: &mut Findings,
        method: &str,
        request: &Value,
        what: &str,
    ) -> Option<PluginError> {
        match self.call(method, request) {
            Ok(_) => {
                findings.add(format!("`{method}` accepts {what}"));
                None
            }
            Err(error) => {
                findings.add_if(error.code == ErrorCode::Panic, || {
                    format!("`{method}` panics for {what}: {error}")
                });
                findings.add_if(error.message.is_empty(), || {
                    format!("`{method}` refuses {what} without a message")
                });
                Some(error)
            }
        }
    }
}

pub(super) fn check_info(info: &PluginInfo, findings: &mut Findings) {
    findings.add_if(!is_name(&info.name), || {
        format!("the name `{}` is not made of lowercase words joined by hyphens", info.name)
    });
    findings.add_if(!is_version(&info.version), || {
        format!("the version `{}` is not of a form such as 1.2.0", info.version)
    });
    findings.add_if(info.description.is_empty(), || "`info` has no description".to_owned());
    let web = info.home_page.is_empty() || info.home_page.starts_with("https://");
    findings.add_if(!web, || format!("the home page `{}` is not an https address", info.home_page));
    for range in [&info.capabilities.kubernetes, &info.capabilities.cluster_api] {
        if let Some(limit) = range.malformed() {
            findings.add(format!("the limit `{limit}` is not a version such as 1.33"));
        }
    }
    findings.add_if(info.compatibility(PROTOCOL) == Compatibility::Refused, || {
        let required = info.requires_host.map(|host| format!(" and requires {host} of a host"));
        let required = required.unwrap_or_default();
        format!("the plugin speaks protocol {}{required}, this is {PROTOCOL}", info.protocol)
    });
}

/// Nonsense is refused and never panics.
pub(super) fn check_robustness(caller: &Caller<'_>, findings: &mut Findings) {
    let unknown = caller.refusal(findings, "no-such-method", &json!({}), "a method of the future");
    findings.add_if(unknown.is_some_and(|error| error.code != ErrorCode::UnknownMethod), || {
        "a method of the future is not answered with the code `unknown-method`".to_owned()
    });
    let asked = [method::RENDER, method::PLAN, method::PROBES];
    for nonsense in [json!(null), json!([1, 2]), json!("text"), json!({"cluster": 1, "name": 1})] {
        for method in asked {
            caller.refusal(findings, method, &nonsense, &format!("the request {nonsense}"));
        }
    }
}

/// The declarations are usable: unique names, descriptions, defaults of the right type.
pub(super) fn check_variables(caller: &Caller<'_>, findings: &mut Findings) -> Vec<Variable> {
    let Some(variables) = caller.get::<Vec<Variable>>(findings, method::VARIABLES, &json!({}))
    else {
        return Vec::new();
    };
    for (index, variable) in variables.iter().enumerate() {
        let name = &variable.name;
        findings.add_if(!is_name(name), || {
            format!("the variable `{name}` is not made of lowercase words joined by hyphens")
        });
        findings.add_if(variables[..index].iter().any(|other| other.name == *name), || {
            format!("there are two variables `{name}`")
        });
        findings.add_if(variable.description.is_empty(), || {
            format!("the variable `{name}` has no description")
        });
        findings.add_if(variable.required && variable.default.is_some(), || {
            format!("the variable `{name}` is required and has a default")
        });
        findings.add_if(variable.secret && variable.default.is_some(), || {
            format!("the variable `{name}` is secret and has a default")
        });
        if !variable.required
            && let Err(error) = Values::resolve(std::slice::from_ref(variable), &Default::default())
        {
            findings.add(format!("the default does not fit: {error}"));
        }
    }
    variables
}

/// Wrong variables are refused by name.
pub(super) fn check_refusals(
    caller: &Caller<'_>,
    (method, request): (&str, &Value),
    variables: &[Variable],
    findings: &mut Findings,
) {
    let mut attempts = vec![("no-such-variable".to_owned(), json!(1), ErrorCode::UnknownVariable)];
    attempts.extend(variables.iter().filter_map(|variable| {
        let wrong = samples::wrong_value(variable)?;
        Some((variable.name.clone(), wrong, ErrorCode::InvalidVariable))
    }));
    for (name, value, code) in attempts {
        let mut request = request.clone();
        request["variables"][&name] = value.clone();
        let what = format!("the variable `{name}` with the value {value}");
        let Some(error) = caller.refusal(findings, method, &request, &what) else { continue };
        findings.add_if(error.code != code || error.variable.as_deref() != Some(&name), || {
            format!("`{method}` refuses {what}, but not as {code:?} naming it: {error}")
        });
        findings
            .add_if(error.hint.is_none(), || format!("`{method}` refuses {what} without a hint"));
    }
}

/// The same question has the same answer, and fields of the future are ignored.
pub(super) fn check_stable(
    caller: &Caller<'_>,
    (method, request): (&str, &Value),
    findings: &mut Findings,
) {
    let first = caller.call(method, request);
    findings.add_if(first != caller.call(method, request), || {
        format!("`{method}` gives two answers to the same question")
    });
    let mut newer = request.clone();
    newer["fieldOfTheFuture"] = json!({"nested": [1]});
    findings.add_if(first != caller.call(method, &newer), || {
        format!("`{method}` does not ignore a field of the future")
    });
}

pub(super) fn check_probes(probes: &[Probe], findings: &mut Findings) {
    for (index, probe) in probes.iter().enumerate() {
        let name = &probe.name;
        findings.add_if(!is_name(name), || {
            format!("the probe `{name}` is not made of lowercase words joined by hyphens")
        });
        findings.add_if(probes[..index].iter().any(|other| other.name == *name), || {
            format!("there are two probes `{name}`")
        });
        for (field, empty) in [
            ("kind", probe.kind.is_empty()),
            ("expression", probe.expression.trim().is_empty()),
            ("sentence to print while waiting", probe.waiting.is_empty()),
            ("stage", probe.stages.is_empty()),
            ("timeout", probe.timeout_seconds == 0),
        ] {
            findings.add_if(empty, || format!("the probe `{name}` has no {field}"));
        }
    }
}

/// Objects that an API server could take, as far as one can see without its schemas.
pub(super) fn check_objects(objects: &[Value], findings: &mut Findings) {
    let mut seen = std::collections::BTreeSet::new();
    for object in objects {
        let field = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let key = [
            field("/apiVersion"),
            field("/kind"),
            field("/metadata/namespace"),
            field("/metadata/name"),
        ];
        findings.add_if(key[0].is_empty() || key[1].is_empty() || key[3].is_empty(), || {
            format!("an object lacks apiVersion, kind or metadata.name: {object}")
        });
        findings.add_if(object.get("status").is_some(), || {
            format!("{} `{}` has a status", key[1], key[3])
        });
        findings.add_if(!seen.insert(key.map(str::to_owned)), || {
            format!("{} `{}` is there twice", key[1], key[3])
        });
    }
}

/// Numbers with dots, and what may follow them.
fn is_version(version: &str) -> bool {
    let numbers = version.split(['-', '+']).next().unwrap_or_default();
    let is_number = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    numbers.contains('.') && numbers.split('.').all(is_number)
}
