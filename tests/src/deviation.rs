//! Deliberate differences of a move by us from a move by clusterctl.
//!
//! Every difference that the parity suite meets must be stated here, and everything stated here
//! must be met, or the suite fails: a deviation that is gone is as wrong as one that is new. Only
//! what chance decides within clusterctl may be met or not.

use capi::Object;
use serde_json::Value;

use crate::dump::{Difference, Dump, RawDump, report};

/// The place in which a deviation is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Objects left in the source.
    Source,
    /// Objects that have come to the target.
    Target,
    /// The course or the outcome of the move itself; the case checks it by its own means.
    Behaviour,
}

/// One deliberate difference.
#[derive(Clone, Copy, Debug)]
pub struct Deviation {
    /// The case that shows it, or [`ALL`].
    pub case: &'static str,
    /// Place in which it is seen.
    pub seen: Seen,
    /// Objects, `*` at the end standing for anything.
    pub object: &'static str,
    /// Paths within them, likewise.
    pub path: &'static str,
    /// Reason why ours is better.
    pub why: &'static str,
}

/// Stands for every case.
pub const ALL: &str = "*";

/// All deliberate differences.
pub const DEVIATIONS: &[Deviation] = &[
    Deviation {
        case: ALL,
        seen: Seen::Target,
        object: "Namespace *",
        path: "metadata.managedFields*",
        why: "a namespace that a program creates is managed by that program",
    },
    Deviation {
        case: ALL,
        seen: Seen::Behaviour,
        object: "*",
        path: "metadata.managedFields",
        why: "owner uids in managedFields are the target's: clusterctl keeps the source's, so that \
              whoever applied an owner reference no longer owns it",
    },
    Deviation {
        case: "class_in_other_namespace",
        seen: Seen::Source,
        object: "ClusterClass.cluster.x-k8s.io proof-class-home/shared-class",
        path: "metadata.annotations[\"cluster.x-k8s.io/paused\"]",
        why: "a class that stays is unpaused again; clusterctl leaves it paused for ever",
    },
    Deviation {
        case: "class_in_other_namespace",
        seen: Seen::Source,
        object: "ClusterClass.cluster.x-k8s.io proof-class-home/shared-class",
        path: "metadata.managedFields[\"clusterctl *",
        why: "and so nobody manages the annotation any more",
    },
    Deviation {
        case: "class_used_elsewhere",
        seen: Seen::Source,
        object: "ClusterClass.cluster.x-k8s.io proof-class-lent/lent-class",
        path: "metadata.annotations[\"cluster.x-k8s.io/paused\"]",
        why: "a class that stays for a cluster of another namespace is unpaused again",
    },
    Deviation {
        case: "class_used_elsewhere",
        seen: Seen::Source,
        object: "ClusterClass.cluster.x-k8s.io proof-class-lent/lent-class",
        path: "metadata.managedFields[\"clusterctl *",
        why: "and so nobody manages the annotation any more",
    },
    Deviation {
        case: "created_as_v1beta1",
        seen: Seen::Target,
        object: "Cluster.cluster.x-k8s.io proof-created-as-v1beta1/veteran",
        path: "metadata.managedFields",
        why: "an object whose managedFields the source's API server has lost gets no manager; \
              clusterctl becomes the manager of all its fields",
    },
    Deviation {
        case: "directory_of_clusterctl",
        seen: Seen::Target,
        object: "*",
        path: "metadata.managedFields*",
        why: "what is restored from files gets its managers back; clusterctl becomes the manager \
              of everything it restores",
    },
    Deviation {
        case: "directory_of_ours",
        seen: Seen::Target,
        object: "*",
        path: "metadata.managedFields*",
        why: "what is restored from files gets its managers back; clusterctl becomes the manager \
              of everything it restores",
    },
    Deviation {
        case: "directories_have_the_same_files",
        seen: Seen::Source,
        object: "Cluster.cluster.x-k8s.io *",
        path: "metadata.managedFields[\"clusterctl *",
        why: "who has paused a cluster for the backup is nobody's business after it",
    },
    Deviation {
        case: "directories_have_the_same_files",
        seen: Seen::Source,
        object: "ClusterClass.cluster.x-k8s.io *",
        path: "metadata.managedFields[\"clusterctl *",
        why: "the same for classes",
    },
    Deviation {
        case: "annotations_during_delete",
        seen: Seen::Behaviour,
        object: "*",
        path: "metadata.annotations",
        why: "annotations stay on an object while it is deleted; clusterctl replaces the whole \
              map, which controllers may read",
    },
    Deviation {
        case: "user_paused_cluster",
        seen: Seen::Behaviour,
        object: "Cluster.cluster.x-k8s.io *",
        path: "spec.paused",
        why: "a cluster that its user had paused is moved and stays paused; clusterctl refuses it",
    },
    Deviation {
        case: "taken_names",
        seen: Seen::Behaviour,
        object: "*",
        path: "",
        why: "an object on the target that differs is not ours to change: we refuse, clusterctl \
              overwrites it",
    },
    Deviation {
        case: "owner_cycle",
        seen: Seen::Behaviour,
        object: "*",
        path: "metadata.ownerReferences",
        why: "a cycle of owners is refused and shown; clusterctl leaves its objects behind and \
              reports success",
    },
    Deviation {
        case: "orphan_of_deleted_cluster",
        seen: Seen::Behaviour,
        object: "*",
        path: "metadata.ownerReferences",
        why: "an object of a Cluster that is gone stays and is reported; clusterctl cannot move \
              the namespace at all",
    },
    Deviation {
        case: "torn_hierarchy",
        seen: Seen::Behaviour,
        object: "*",
        path: "metadata.ownerReferences",
        why: "what would be torn from an owner that moves, or collected with it, stops the move; \
              clusterctl leaves it behind and reports success",
    },
    Deviation {
        case: "random_owner_graphs",
        seen: Seen::Behaviour,
        object: "*",
        path: "metadata.ownerReferences",
        why: "the same: such objects are found by what clusterctl leaves, and the rest of the \
              graph is moved alike",
    },
];

/// Differences that may be met or not, since a random order within clusterctl decides.
pub const BY_CHANCE: &[Deviation] = &[Deviation {
    case: "created_as_v1beta1",
    seen: Seen::Target,
    object: "*",
    path: "metadata.ownerReferences[0].apiVersion",
    why: "an owner reference keeps the version that it was written with; clusterctl writes the one \
          at which it has met the owner first, as a reference or as an object, in the order of a \
          Go map",
}];

/// The results of the twins of a case.
pub struct Verdict<'a> {
    case: &'a str,
    unexplained: Vec<(Seen, Difference)>,
    missing: Vec<&'static Deviation>,
}

impl<'a> Verdict<'a> {
    /// Holds the differences of a case against the table.
    pub fn of(case: &'a str, differences: Vec<(Seen, Difference)>) -> Self {
        let stated: Vec<_> = DEVIATIONS
            .iter()
            .filter(|d| (d.case == case || d.case == ALL) && d.seen != Seen::Behaviour)
            .collect();
        let matches = |deviation: &Deviation, (seen, difference): &(Seen, Difference)| {
            deviation.seen == *seen
                && glob(deviation.object, &difference.object)
                && glob(deviation.path, &difference.path)
        };
        let missing = stated
            .iter()
            .copied()
            .filter(|d| {
                d.case == case && !differences.iter().any(|difference| matches(d, difference))
            })
            .collect();
        let by_chance = BY_CHANCE.iter().filter(|d| d.case == case);
        let explained: Vec<_> = stated.iter().copied().chain(by_chance).collect();
        let unexplained = differences
            .into_iter()
            .filter(|difference| !explained.iter().any(|d| matches(d, difference)))
            .collect();
        Self { case, unexplained, missing }
    }

    /// # Errors
    /// The unexplained differences and the deviations that no longer occur, as text.
    pub fn check(&self) -> Result<(), String> {
        if self.unexplained.is_empty() && self.missing.is_empty() {
            return Ok(());
        }
        let mut text = format!("{}: the twins differ in what is not stated\n", self.case);
        for (seen, title) in [(Seen::Target, "in the target"), (Seen::Source, "left in the source")]
        {
            let some: Vec<_> = self
                .unexplained
                .iter()
                .filter(|(s, _)| *s == seen)
                .map(|(_, d)| d.clone())
                .collect();
            if !some.is_empty() {
                text += &format!("{title}:\n{}", report(&some, "clusterctl", "ours      "));
            }
        }
        for deviation in &self.missing {
            text += &format!("stated but not seen: {deviation:?}\n");
        }
        Err(text)
    }
}

/// Brings clusterctl's `managedFields` to what they should be: owner uids of the target.
///
/// # Errors
/// When there are owner references and none of them needs it: the deviation is gone.
pub fn with_target_uids(dump: &Dump) -> Result<Dump, String> {
    let mut dump = dump.clone();
    let mut replaced = 0;
    let mut owners = 0;
    for object in dump.0.values_mut() {
        let metadata = &mut object["metadata"];
        owners += metadata["ownerReferences"].as_array().map_or(0, Vec::len);
        let Some(fields) = metadata.get_mut("managedFields") else { continue };
        let text = fields.to_string();
        let foreign = text.matches("source-uid(").count();
        if foreign > 0 {
            replaced += foreign;
            *fields = parse(&text.replace("source-uid(", "uid("));
        }
    }
    if owners > 0 && replaced == 0 {
        return Err("clusterctl no longer keeps the source's uids in managedFields".to_owned());
    }
    Ok(dump)
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("was JSON before a word in its strings was changed")
}

/// Objects in which a uid of the source has survived.
pub fn with_source_uids(dump: &Dump) -> Vec<&str> {
    let marked = |object: &Value| object.to_string().contains("source-uid(");
    dump.0.iter().filter(|(_, object)| marked(object)).map(|(name, _)| name.as_str()).collect()
}

/// The objects of a dump that are not namespaces.
pub fn payload(dump: &RawDump) -> impl Iterator<Item = &Object> {
    dump.objects().iter().filter(|object| object.kind() != "Namespace")
}

fn glob(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => text.starts_with(prefix),
        None => pattern == text,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn difference(object: &str, path: &str) -> Difference {
        Difference {
            object: object.to_owned(),
            path: path.to_owned(),
            left: None,
            right: Some(json!(1)),
        }
    }

    #[test]
    fn stated_differences_are_accepted_and_others_are_not() {
        let namespace = (Seen::Target, difference("Namespace x", "metadata.managedFields[\"a\"]"));
        assert_eq!(Verdict::of("some_case", vec![namespace.clone()]).check(), Ok(()));
        let other = (Seen::Target, difference("Secret n/x", "data.a"));
        let error =
            Verdict::of("some_case", vec![namespace, other]).check().expect_err("is not stated");
        assert!(error.contains("Secret n/x\n  data.a"), "{error}");
    }

    #[test]
    fn a_stated_difference_that_does_not_occur_is_an_error() {
        let error = Verdict::of("class_used_elsewhere", vec![]).check().expect_err("is stated");
        assert!(error.contains("stated but not seen"), "{error}");
    }

    #[test]
    fn only_managed_fields_are_forgiven() {
        let object = json!({"metadata": {"ownerReferences": [{"uid": "source-uid(A a)"}],
            "managedFields": {"m": {"k:{\"uid\":\"source-uid(A a)\"}": {}}}}});
        let dump = Dump(BTreeMap::from([("B b".to_owned(), object)]));
        let fixed = with_target_uids(&dump).expect("is still kept by clusterctl");
        assert_eq!(
            fixed.get("B b"),
            Some(&json!({"metadata": {"ownerReferences": [{"uid": "source-uid(A a)"}],
                "managedFields": {"m": {"k:{\"uid\":\"uid(A a)\"}": {}}}}}))
        );
        assert_eq!(with_source_uids(&fixed), ["B b"]);
        let gone = Dump(BTreeMap::from([(
            "B b".to_owned(),
            json!({"metadata": {"ownerReferences": [{}], "managedFields": {}}}),
        )]));
        assert!(with_target_uids(&gone).is_err());
    }
}
