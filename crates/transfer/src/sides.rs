//! On which side each Cluster of a run is, and for how long the run has paused it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use capi::names::PAUSED_BY_ANNOTATION;
use capi::{Graph, Object, ObjectId, at, is_cluster, managed_fields};
use cluster::{FIELD_MANAGER, Moment};
use jiff::Timestamp;
use serde::Serialize;

use super::pause::paused_by;
use super::record::Role;

/// Namespace and name.
type Name = (String, String);

/// A Cluster of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ClusterState {
    /// Namespace of the Cluster.
    pub namespace: String,
    /// Name of the Cluster.
    pub name: String,
    /// `source` or `target`: the cluster whose controllers work on it, or will once its pause ends.
    /// The commit brings it to the target.
    pub side: Role,
    /// True while the pause of the run lasts.
    pub paused: bool,
    /// Seconds from the pause to its end or to the report; absent if the run has not paused it, or
    /// if nothing says since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_seconds: Option<f64>,
}

/// The Clusters of a run, phase by phase. Clones share what they know.
#[derive(Clone, Debug, Default)]
pub struct Sides(Arc<Mutex<BTreeMap<Name, Course>>>);

/// The course of one Cluster.
#[derive(Clone, Copy, Debug)]
struct Course {
    side: Role,
    pause: Pause,
}

#[derive(Clone, Copy, Debug)]
enum Pause {
    /// The run has not paused it.
    None,
    /// Since this moment, and for so long before it.
    Lasts(Moment, Duration),
    /// Nothing tells since when.
    LastsSinceUnknown,
    Ended(Option<Duration>),
}

impl Sides {
    /// Notes the Clusters that are to move, as they are in the source.
    pub(super) fn begin(&self, run: &str, graph: &Graph) {
        let mut known = self.known();
        for object in graph.clusters().map(|node| &node.object) {
            let pause = match paused_by(object) {
                Some(by) if by == run => paused_before(object)
                    .map_or(Pause::LastsSinceUnknown, |ago| Pause::Lasts(Moment::now(), ago)),
                _ => Pause::None,
            };
            let course = || Course { side: Role::Source, pause };
            known.entry(name(object)).or_insert_with(course);
        }
    }

    /// Notes that a Cluster of the source is paused since this moment.
    pub(super) fn paused(&self, object: &Object, since: Moment) {
        let mut known = self.known();
        let course = || Course { side: Role::Source, pause: Pause::None };
        let course = known.entry(name(object)).or_insert_with(course);
        if matches!(course.pause, Pause::None) {
            course.pause = Pause::Lasts(since, Duration::ZERO);
        }
    }

    /// Notes that the target has these Clusters: the run is past its commit.
    pub(super) fn committed<'a>(&self, clusters: impl Iterator<Item = (&'a str, &'a str)>) {
        let mut known = self.known();
        for (namespace, name) in clusters {
            let course = || Course { side: Role::Target, pause: Pause::LastsSinceUnknown };
            let name = (namespace.to_owned(), name.to_owned());
            known.entry(name).or_insert_with(course).side = Role::Target;
        }
    }

    /// Notes that the pause of a Cluster, as it was read before, has ended in a cluster.
    pub(super) fn resumed(&self, object: &Object, side: Role) {
        let mut known = self.known();
        let course = || Course { side, pause: Pause::LastsSinceUnknown };
        let course = known.entry(name(object)).or_insert_with(course);
        course.side = side;
        course.pause = match course.pause {
            Pause::Lasts(since, before) => Pause::Ended(Some(since.elapsed() + before)),
            Pause::None | Pause::LastsSinceUnknown => Pause::Ended(paused_before(object)),
            ended @ Pause::Ended(_) => ended,
        };
    }

    /// Returns the Clusters, by namespace and name.
    pub fn states(&self) -> Vec<ClusterState> {
        let known = self.known();
        let states = known.iter().map(|((namespace, name), course)| {
            let (paused, time) = match course.pause {
                Pause::None => (false, None),
                Pause::Lasts(since, before) => (true, Some(since.elapsed() + before)),
                Pause::LastsSinceUnknown => (true, None),
                Pause::Ended(time) => (false, time),
            };
            ClusterState {
                namespace: namespace.clone(),
                name: name.clone(),
                side: course.side,
                paused,
                paused_seconds: time.map(|time| time.as_secs_f64()),
            }
        });
        states.collect()
    }

    /// Says for how long Clusters were paused that are not any more; nothing if none was.
    pub(super) fn summary(&self) -> String {
        let states = self.states().into_iter().filter(|state| !state.paused);
        let times: Vec<f64> = states.filter_map(|state| state.paused_seconds).collect();
        let Some(longest) = times.iter().copied().reduce(f64::max) else { return String::new() };
        match times.len() {
            1 => format!("1 Cluster, paused for {longest:.1} s"),
            clusters => format!("{clusters} Clusters, each paused for {longest:.1} s at most"),
        }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Name, Course>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name(object: &Object) -> Name {
    (object.namespace().unwrap_or_default().to_owned(), object.name().to_owned())
}

/// Returns the Clusters among some objects, by namespace and name.
pub(super) fn clusters_of(objects: &[ObjectId]) -> impl Iterator<Item = (&str, &str)> {
    let clusters = objects.iter().filter(|id| id.kind == "Cluster");
    clusters.filter_map(|id| Some((id.namespace.as_deref()?, id.name.as_str())))
}

/// Returns the Clusters of a graph, by namespace and name.
pub(super) fn clusters_in(graph: &Graph) -> impl Iterator<Item = (&str, &str)> {
    let clusters = graph.clusters().map(|node| &node.object);
    clusters.map(|object| (object.namespace().unwrap_or_default(), object.name()))
}

/// Returns how long ago a run has paused a Cluster, by the times of the API server and the clock of
/// this machine: good for a report, and for nothing else.
pub fn paused_before(object: &Object) -> Option<Duration> {
    if !is_cluster(object) {
        return None;
    }
    let path = format!("/f:metadata/f:annotations/f:{}", PAUSED_BY_ANNOTATION.replace('/', "~1"));
    let mut entries = managed_fields::managers_of(object.managed_fields(), &path).into_iter();
    let entry = entries.find(|entry| at(entry, "/manager") == FIELD_MANAGER)?;
    let time: Timestamp = at(&entry, "/time").as_str()?.parse().ok()?;
    Some(Timestamp::now().duration_since(time).try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cluster(name: &str) -> Object {
        Object::new(json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
            "metadata": {"namespace": "n", "name": name, "uid": name}}))
    }

    fn state(sides: &Sides) -> (Role, bool, bool) {
        let states = sides.states();
        let [state] = states.as_slice() else { panic!("{states:?}") };
        (state.side, state.paused, state.paused_seconds.is_some())
    }

    #[test]
    fn a_cluster_is_in_the_source_until_the_commit_and_its_pause_ends_once() {
        let sides = Sides::default();
        sides.paused(&cluster("a"), Moment::now());
        assert_eq!(state(&sides), (Role::Source, true, true));
        sides.committed([("n", "a")].into_iter());
        assert_eq!(state(&sides), (Role::Target, true, true));
        sides.resumed(&cluster("a"), Role::Target);
        assert_eq!(state(&sides), (Role::Target, false, true));
        let before = sides.states();
        sides.resumed(&cluster("a"), Role::Target);
        assert_eq!(sides.states(), before);
        assert!(sides.summary().starts_with("1 Cluster, paused for"), "{}", sides.summary());
    }

    #[test]
    fn a_pause_of_an_earlier_process_has_no_length_without_a_time_in_the_source() {
        let sides = Sides::default();
        sides.committed([("n", "a")].into_iter());
        sides.resumed(&cluster("a"), Role::Target);
        assert_eq!(state(&sides), (Role::Target, false, false));
        assert_eq!(sides.summary(), "");
    }

    #[test]
    fn the_time_of_a_pause_is_read_from_the_managed_fields() {
        let mut object = cluster("a");
        assert_eq!(paused_before(&object), None);
        let time = Timestamp::now() - jiff::Span::new().seconds(30);
        let fields = json!([{"manager": FIELD_MANAGER, "operation": "Update",
            "time": time.to_string(),
            "fieldsV1": {"f:metadata": {"f:annotations": {format!("f:{PAUSED_BY_ANNOTATION}"): {}}}}}]);
        object.metadata_mut().insert("managedFields".to_owned(), fields);
        let ago = paused_before(&object).expect("a time").as_secs();
        assert!((29..=32).contains(&ago), "{ago}");
    }
}
