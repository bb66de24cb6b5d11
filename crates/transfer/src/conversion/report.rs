//! The part of a plan about kinds that are converted.

use std::collections::{BTreeMap, BTreeSet};

use capi::{MoveKind, ObjectId};
use serde::Serialize;

use super::judge::Judgement;
use crate::findings::Findings;

/// A field that a conversion removes or rewrites without a loss.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConvertedField {
    /// Path, without positions in lists.
    pub field: String,
    /// The reason why nothing is lost, or that the user accepts the loss.
    pub reason: &'static str,
}

/// A kind that the target stores at another version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConvertedKind {
    /// The kind with its group, as a resource: `machines.cluster.x-k8s.io`.
    pub resource: String,
    /// Version at which it is read and written.
    pub from: String,
    /// Version that the target prefers.
    pub to: String,
    /// Number of objects that were rehearsed.
    pub objects: usize,
    /// Each field that changes.
    pub fields: BTreeSet<ConvertedField>,
}

/// Collects what a rehearsal has found out about conversions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Converted(BTreeMap<String, ConvertedKind>);

impl Converted {
    /// Adds an object of a kind that is converted; a loss becomes an error.
    pub(crate) fn add(
        &mut self,
        (kind, to): (&MoveKind, &str),
        object: ObjectId,
        judgement: Judgement,
        findings: &mut Findings,
    ) {
        let resource = kind.resource.to_string();
        let entry = self.0.entry(resource.clone()).or_insert_with(|| ConvertedKind {
            resource,
            from: kind.resource.version.clone(),
            to: to.to_owned(),
            ..ConvertedKind::default()
        });
        entry.objects += 1;
        let accepted =
            judgement.accepted.into_iter().map(|field| (field, "accepted by --accept-loss"));
        let fields = judgement.known.into_iter().chain(accepted);
        entry.fields.extend(fields.map(|(field, reason)| ConvertedField { field, reason }));
        let (from, name) = (&kind.resource.version, &kind.resource.kind);
        for path in judgement.lost {
            let problem =
                format!("the target converts it from {from} to {to} and does not keep {path}");
            findings.object_error(
                "ConversionLoss",
                "target",
                object.clone(),
                &problem,
                hint(name, &path),
            );
        }
    }

    /// Returns the kinds, and warns of them.
    pub(crate) fn finish(self, findings: &mut Findings) -> Vec<ConvertedKind> {
        let kinds: Vec<ConvertedKind> = self.0.into_values().collect();
        if let Some(first) = kinds.first() {
            let objects: usize = kinds.iter().map(|kind| kind.objects).sum();
            let (count, from, to) = (kinds.len(), &first.from, &first.to);
            let message = format!(
                "it stores other versions: its webhooks convert {objects} objects of {count} \
                 kinds, {} from {from} to {to} among them",
                first.resource
            );
            let hint = "the report names the fields that do not stay as they are; there is no way \
                        back into a cluster without the new version";
            findings.warning("Converted", "target", message, hint);
        }
        kinds
    }
}

/// Returns the hint about a loss.
pub(crate) fn hint(kind: &str, path: &str) -> String {
    format!(
        "this conversion is not known to be harmless: look at the conversion webhook of this kind \
         in the target, remove the field from the source if nobody needs it, or accept the loss \
         with --accept-loss {kind}.{path}"
    )
}
