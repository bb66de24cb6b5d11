//! Judges the differences between an object and its conversion: known ones, and losses.

use capi::{Object, group_of};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::changes::{Change, changes};
use super::duration::duration;
use super::expected::without_data;
use super::known;
use crate::compare::aligned;

/// A loss that the user accepts: a field of a kind and whatever is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AcceptedLoss {
    kind: String,
    field: String,
}

impl AcceptedLoss {
    /// Reads `KIND.path`, for example `Machine.spec.failureDomain`.
    ///
    /// # Errors
    /// When there is no path.
    pub fn new(text: &str) -> Result<Self, String> {
        match text.split_once('.') {
            Some((kind, field)) if !kind.is_empty() && !field.is_empty() => {
                Ok(Self { kind: kind.to_owned(), field: field.to_owned() })
            }
            _ => Err("use KIND.path, for example Machine.spec.failureDomain".to_owned()),
        }
    }

    fn covers(&self, kind: &str, change: &Change<'_>) -> bool {
        let is_in = |path: &str| {
            let rest = path.strip_prefix(self.field.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        self.kind.eq_ignore_ascii_case(kind) && (is_in(&change.path) || is_in(&change.field()))
    }
}

impl TryFrom<String> for AcceptedLoss {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::new(&text)
    }
}

impl From<AcceptedLoss> for String {
    fn from(AcceptedLoss { kind, field }: AcceptedLoss) -> Self {
        format!("{kind}.{field}")
    }
}

/// The effect of a conversion on an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// Fields that Cluster API is known to remove or rewrite, and why that is no loss.
    pub(crate) known: Vec<(String, &'static str)>,
    /// Fields that the user accepts to lose.
    pub(crate) accepted: Vec<String>,
    /// Paths of fields whose values are lost.
    pub(crate) lost: Vec<String>,
}

/// Judges what a conversion to a version has made of an object.
pub(crate) fn judge(
    (source, converted): (&Object, &Object),
    to: &str,
    accepted: &[AcceptedLoss],
) -> Judgement {
    let (wanted, found) = aligned(&without_data(source), &without_data(converted));
    let mut judgement = Judgement::default();
    for change in changes(&wanted, &found) {
        match reason((source, converted), to, &change) {
            Some(why) if change.path.contains('.') => judgement.known.push((change.field(), why)),
            Some(_) => {}
            None if accepted.iter().any(|loss| loss.covers(source.kind(), &change)) => {
                judgement.accepted.push(change.field());
            }
            None => judgement.lost.push(change.path),
        }
    }
    judgement
}

/// Returns the reason why a change does not change the meaning of an object.
fn reason(objects: (&Object, &Object), version: &str, change: &Change<'_>) -> Option<&'static str> {
    let field = change.field();
    match change.to {
        _ if field == "apiVersion" => Some("the version of the object itself"),
        // An object whose namespace is not there yet is rehearsed in another one.
        _ if field == "metadata.namespace" => Some("the namespace of the object itself"),
        _ if is_reference(change) => of_reference(objects, change, &field),
        None => known::removal(objects.0, version, &field, is_zero(change.from)),
        Some(to) => {
            let read = |value: &Value| value.as_str().and_then(duration);
            let is_same = read(change.from).is_some_and(|from| read(to) == Some(from));
            is_same.then_some("the same duration, in seconds")
        }
    }
}

/// Returns whether the fields beside a change are those of a reference to an object.
fn is_reference(change: &Change<'_>) -> bool {
    change.beside.contains_key("kind")
        && change.beside.contains_key("name")
        && change.path.contains('.')
}

/// References of `v1beta2` name group, kind and name in the namespace of the object.
fn of_reference(
    (source, converted): (&Object, &Object),
    change: &Change<'_>,
    field: &str,
) -> Option<&'static str> {
    let text = change.from.as_str()?;
    let to = change.to.and_then(Value::as_str);
    match field.rsplit('.').next()? {
        "apiVersion" => {
            let is_same = to.is_some_and(|to| group_of(to) == group_of(text));
            is_same.then_some("references of v1beta2 have no version: the target chooses it")
        }
        "uid" | "resourceVersion" | "fieldPath" if to.is_none() => {
            Some("references of v1beta2 have a name only")
        }
        "namespace" if Some(text) == source.namespace() => {
            let is_own = to.is_none() || to == converted.namespace();
            is_own.then_some("references of v1beta2 are in the namespace of the object")
        }
        _ => None,
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Bool(value) => !value,
        Value::Number(value) => value.as_f64() == Some(0.0),
        Value::String(value) => value.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn machine(version: &str, spec: Value) -> Object {
        Object::new(json!({"apiVersion": format!("cluster.x-k8s.io/{version}"), "kind": "Machine",
            "metadata": {"name": "m", "namespace": "n"}, "spec": spec}))
    }

    fn reference(version: &str) -> Value {
        json!({"apiVersion": format!("i.io/{version}"), "kind": "X", "name": "x"})
    }

    #[test]
    fn a_reference_may_lose_all_that_does_not_name_its_object() {
        let mut old = reference("v1beta1");
        old["uid"] = json!("1");
        old["namespace"] = json!("n");
        let source = machine("v1beta1", json!({"infrastructureRef": old}));
        let converted = machine("v1beta1", json!({"infrastructureRef": reference("v1beta2")}));
        let judgement = judge((&source, &converted), "v1beta2", &[]);
        assert_eq!(judgement.lost, Vec::<String>::new());
        assert_eq!(judgement.known.len(), 3, "{judgement:?}");
        let other = json!({"apiVersion": "other.io/v1beta2", "kind": "X", "name": "y"});
        let judgement = judge(
            (&source, &machine("v1beta1", json!({"infrastructureRef": other}))),
            "v1beta2",
            &[],
        );
        assert_eq!(
            judgement.lost,
            ["spec.infrastructureRef.apiVersion", "spec.infrastructureRef.name"]
        );
    }

    #[test]
    fn a_reference_into_another_namespace_is_lost() {
        let mut old = reference("v1beta1");
        old["namespace"] = json!("elsewhere");
        let source = machine("v1beta1", json!({"ref": old}));
        let judgement = judge(
            (&source, &machine("v1beta1", json!({"ref": reference("v1beta1")}))),
            "v1beta2",
            &[],
        );
        assert_eq!(judgement.lost, ["spec.ref.namespace"]);
    }

    #[test]
    fn a_duration_in_another_notation_is_no_loss() {
        let source = machine("v1beta1", json!({"timeout": "1.5h"}));
        let converted = machine("v1beta1", json!({"timeout": "1h30m0s"}));
        let judgement = judge((&source, &converted), "v1beta2", &[]);
        assert_eq!((judgement.lost.len(), judgement.known.len()), (0, 1));
    }

    #[test]
    fn an_unknown_change_is_a_loss_unless_it_is_accepted() {
        let source =
            machine("v1beta1", json!({"novel": {"a": 1}, "list": [{"b": 2}], "timeout": "1500ms"}));
        let converted = machine("v1beta1", json!({"list": [{}], "timeout": "1s"}));
        let lost = ["spec.list[0].b", "spec.novel.a", "spec.timeout"];
        assert_eq!(judge((&source, &converted), "v1beta2", &[]).lost, lost);
        let accepted = ["machine.spec.novel", "Machine.spec.list.b", "Other.spec.timeout"];
        let accepted = accepted.map(|text| AcceptedLoss::new(text).expect("complete"));
        let judgement = judge((&source, &converted), "v1beta2", &accepted);
        assert_eq!(judgement.lost, ["spec.timeout"]);
        assert_eq!(judgement.accepted, ["spec.list.b", "spec.novel.a"]);
        assert!(AcceptedLoss::new("Machine").is_err() && AcceptedLoss::new("Machine.").is_err());
    }
}
