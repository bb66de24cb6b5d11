//! The subject of a request.

use capi::ResourceType;
use serde_json::Value;

use super::http::Request;
use crate::addon;
use crate::proxied_pair::cluster_type;

/// Annotation of the lock's Lease with the record of the run.
const RECORD: &str = "kubectl-pivot.io/record";

/// Annotation that every copy carries when it is created.
const COPY: &str = "kubectl-pivot.io/run";

/// Kinds that may be active on one side only, since a move pauses them. DockerClusters stand for
/// all kinds of which no object reports that it is paused.
pub(super) fn one_sided_types() -> [ResourceType; 5] {
    let addons = "addons.cluster.x-k8s.io/v1beta2";
    let sets = ResourceType::new(addons, "ClusterResourceSet", "clusterresourcesets", true);
    let infrastructure = "infrastructure.cluster.x-k8s.io/v1beta2";
    let docker = ResourceType::new(infrastructure, "DockerCluster", "dockerclusters", true);
    [cluster_type(), sets, addon::kind("HelmChartProxy"), addon::kind("HelmReleaseProxy"), docker]
}

/// The clusters of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// Source of the move.
    Source,
    /// Target of the move.
    Target,
}

/// A request of the program under test.
#[derive(Clone, Debug)]
pub struct Call {
    /// To which cluster.
    pub side: Side,
    /// HTTP method.
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// Query, empty if there is none.
    pub query: String,
    /// Body; null if there is none.
    pub body: Value,
}

impl Call {
    pub(super) fn new(side: Side, request: &Request) -> Self {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        Self {
            side,
            method: request.method.clone(),
            path: path.to_owned(),
            query: query.to_owned(),
            body: serde_json::from_slice(&request.body).unwrap_or_default(),
        }
    }

    /// Returns whether it changes something: a write that is no dry-run and no question about
    /// permissions.
    pub fn is_write(&self) -> bool {
        ["POST", "PUT", "PATCH", "DELETE"].contains(&self.method.as_str())
            && !self.query.contains("dryRun=")
            && !self.path.contains("/selfsubject")
    }

    /// Returns whether it creates a copy, or replaces one.
    pub(super) fn writes_whole_copy(&self) -> bool {
        ["POST", "PUT"].contains(&self.method.as_str())
            && !self.body["metadata"]["annotations"][COPY].is_null()
    }

    /// Returns whether its answer is a stream of changes.
    pub fn is_watch(&self) -> bool {
        self.query.split('&').any(|part| part == "watch=true")
    }

    /// Returns whether it is about the Lease of the program's lock.
    pub fn is_lease(&self) -> bool {
        self.path.starts_with("/apis/coordination.k8s.io/")
    }

    /// Returns whether it is about objects of this resource, for example `machines`.
    pub fn is_about(&self, plural: &str) -> bool {
        self.path.split('/').any(|part| part == plural)
    }

    /// The phase that a write of the Lease records.
    pub fn phase(&self) -> Option<String> {
        let record: Value = serde_json::from_str(self.record()?).ok()?;
        record["phase"].as_str().map(str::to_owned)
    }

    /// The record that a write of the Lease carries.
    pub(super) fn record(&self) -> Option<&str> {
        self.body["metadata"]["annotations"][RECORD].as_str().filter(|_| self.is_lease())
    }

    /// Returns whether it does nothing but renew the Lease, `last` being the record written before.
    /// Renewals happen by the clock, so they have no number.
    pub(super) fn is_renewal(&self, last: Option<&str>) -> bool {
        let only_time = |spec: &Value| spec.as_object().is_some_and(|s| s.keys().eq(["renewTime"]));
        self.method == "PATCH"
            && self.record().is_some_and(|record| Some(record) == last)
            && only_time(&self.body["spec"])
            && !self.body["spec"]["renewTime"].is_null()
    }

    /// The path of the object that it writes to, if that is one that may be active on one side
    /// only.
    pub(super) fn one_sided(&self) -> Option<String> {
        let parts: Vec<&str> = self.path.strip_prefix("/apis/")?.split('/').collect();
        let [group, _, "namespaces", _, plural, ref name @ ..] = parts[..] else { return None };
        one_sided_types().iter().find(|kind| kind.group == group && kind.plural == plural)?;
        let name = match name {
            [] => self.body["metadata"]["name"].as_str()?,
            [name, ..] => name,
        };
        Some(format!("/apis/{}/{name}", parts[..5].join("/")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(method: &str, target: &str, body: &Value) -> Call {
        let request = Request {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
        };
        Call::new(Side::Source, &request)
    }

    #[test]
    fn dry_runs_and_questions_are_no_writes() {
        let none = Value::Null;
        assert!(call("POST", "/api/v1/namespaces?fieldManager=a", &none).is_write());
        assert!(!call("POST", "/api/v1/namespaces?fieldManager=a&dryRun=All", &none).is_write());
        assert!(!call("GET", "/api/v1/namespaces", &none).is_write());
        let review = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        assert!(!call("POST", review, &none).is_write());
    }

    #[test]
    fn a_renewal_changes_nothing_but_the_time() {
        let path = "/apis/coordination.k8s.io/v1/namespaces/n/leases/kubectl-pivot";
        let patch = |record: &str, spec: Value| json!({"metadata": {"annotations": {RECORD: record}}, "spec": spec});
        let renewal = call("PATCH", path, &patch("r", json!({"renewTime": "now"})));
        assert!(renewal.is_renewal(Some("r")));
        assert!(!renewal.is_renewal(Some("another record")));
        let let_go = json!({"renewTime": null, "holderIdentity": null});
        assert!(!call("PATCH", path, &patch("r", let_go)).is_renewal(Some("r")));
    }

    #[test]
    fn clusters_are_named_by_the_path_or_the_body() {
        let of =
            |target: &str| call("POST", target, &json!({"metadata": {"name": "b"}})).one_sided();
        let base = "/apis/cluster.x-k8s.io/v1beta2/namespaces/n/clusters";
        assert_eq!(of(base), Some(format!("{base}/b")));
        assert_eq!(of(&format!("{base}/a?x=y")), Some(format!("{base}/a")));
        assert_eq!(of(&format!("{base}/a/status")), Some(format!("{base}/a")));
        assert_eq!(of("/apis/cluster.x-k8s.io/v1beta2/namespaces/n/machines/a"), None);
        let proxy = "/apis/addons.cluster.x-k8s.io/v1alpha1/namespaces/n/helmreleaseproxies/a";
        assert_eq!(of(proxy), Some(proxy.to_owned()));
    }
}
