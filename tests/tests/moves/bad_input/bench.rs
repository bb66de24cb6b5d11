//! State that the cases share: a source and a target, a small population, and the check afterwards.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use capi::{Object, ResourceType};
use cluster::WriteOptions;
use kubectl_pivot_tests::dump::{Dump, Normal, Uids, diff, report};
use kubectl_pivot_tests::population::{Population, shapes};
use kubectl_pivot_tests::program::Outcome;
use kubectl_pivot_tests::proxied_pair::ProxiedPair;
use kubectl_pivot_tests::twins::{Fixture, Pair, Plane};
use serde_json::{Value, json};

/// Documented exit codes of a move.
pub(crate) mod code {
    pub(crate) const MOVED: i32 = 0;
    pub(crate) const USAGE: i32 = 2;
    pub(crate) const REFUSED: i32 = 3;
    pub(crate) const NOTHING_IN_SCOPE: i32 = 4;
    pub(crate) const UNDONE: i32 = 5;
    pub(crate) const UNFINISHED: i32 = 6;
}

/// A source and a target.
pub(crate) struct Bench {
    proxied_pair: Arc<ProxiedPair>,
}

/// Both clusters of a bench at one moment, in normal form.
pub(crate) struct Snapshot {
    source: Dump,
    target: Dump,
}

impl Bench {
    /// Without the proxies of the proxied_pair.
    pub(crate) fn on_proxied_pair(proxied_pair: Arc<ProxiedPair>) -> Self {
        Self { proxied_pair }
    }

    /// The control planes.
    pub(crate) fn pair(&self) -> &Pair {
        self.proxied_pair.pair()
    }

    /// The fixture they stand on.
    pub(crate) fn fixture(&self) -> &Fixture {
        self.proxied_pair.fixture()
    }

    /// A provisioned cluster with a running machine, called like the namespace.
    pub(crate) fn population(namespace: &str) -> Population {
        let mut population = Population::new(namespace);
        let cluster = shapes::cluster(&mut population, namespace);
        shapes::machine(&mut population, namespace, &format!("{namespace}-0"), cluster);
        population
    }

    /// Creates that population in the source.
    pub(crate) async fn populate(&self, namespace: &str) {
        self.pair().source.populate(&Self::population(namespace)).await;
    }

    /// Moves a namespace, with further arguments.
    pub(crate) async fn run(&self, namespace: &str, further: &[&str]) -> Outcome {
        let mut args = self.pair().move_args(namespace);
        args.extend(further.iter().map(|arg| (*arg).to_owned()));
        self.fixture().kubectl_pivot().run(args).await
    }

    /// Carries on the interrupted move, with nothing but the two kubeconfigs.
    pub(crate) async fn resume(&self) -> Outcome {
        let (source, target) = (self.pair().source.kubeconfig(), self.pair().target.kubeconfig());
        let (source, target) = (source.display().to_string(), target.display().to_string());
        let args = ["resume", "--kubeconfig", &source, "--to-kubeconfig", &target];
        self.fixture().kubectl_pivot().run(args).await
    }

    /// Moves a namespace between other kubeconfigs than the administrators'.
    pub(crate) async fn run_as(&self, source: &Path, target: &Path, namespace: &str) -> Outcome {
        let (source, target) = (source.display().to_string(), target.display().to_string());
        let args = ["move", "--kubeconfig", &source, "--to-kubeconfig", &target, "-n", namespace];
        self.fixture().kubectl_pivot().run(args).await
    }

    /// As [`Bench::run_as`], with further arguments.
    pub(crate) async fn run_as_with(
        &self,
        source: &Path,
        target: &Path,
        namespace: &str,
        further: &[&str],
    ) -> Outcome {
        let (source, target) = (source.display().to_string(), target.display().to_string());
        let args = ["move", "--kubeconfig", &source, "--to-kubeconfig", &target, "-n", namespace];
        self.fixture().kubectl_pivot().run(args.iter().chain(further)).await
    }

    /// Backs up a namespace into a new folder.
    pub(crate) async fn back_up(&self, namespace: &str, folder: &str) -> Outcome {
        let source = self.pair().source.kubeconfig().display().to_string();
        let folder = self.fixture().folder("backups").join(folder).display().to_string();
        let args = ["backup", &folder, "--kubeconfig", &source, "-n", namespace];
        self.fixture().kubectl_pivot().run(args).await
    }

    /// Restores from such a folder into the target.
    pub(crate) async fn restore(&self, folder: &str, further: &[&str]) -> Outcome {
        let target = self.pair().target.kubeconfig().display().to_string();
        let folder = self.fixture().folder("backups").join(folder).display().to_string();
        let args = ["restore", &folder, "--kubeconfig", &target];
        self.fixture().kubectl_pivot().run(args.iter().chain(further)).await
    }

    /// Takes what was populated out of both clusters.
    pub(crate) async fn clean_up(&self, namespace: &str) {
        self.proxied_pair.clean_up(namespace).await;
    }

    /// Both clusters now.
    pub(crate) async fn snapshot(&self, namespace: &str) -> Snapshot {
        let (source, target) = tokio::join!(
            form(&self.pair().source, namespace),
            form(&self.pair().target, namespace)
        );
        Snapshot { source, target }
    }

    /// Fails unless both clusters are as they were, which includes that nothing is paused.
    pub(crate) async fn expect_untouched(
        &self,
        namespace: &str,
        before: &Snapshot,
        outcome: &Outcome,
    ) {
        let mut after = self.snapshot(namespace).await;
        if outcome.code == Some(code::UNDONE) {
            after.target = after.target.without_new_namespaces(&before.target);
        }
        for (name, before, after) in
            [("source", &before.source, &after.source), ("target", &before.target, &after.target)]
        {
            let differences = diff(before, after);
            let text = report(&differences, "before", "after ");
            assert!(differences.is_empty(), "the {name} was changed:\n{text}\n{outcome}");
        }
        let paused = |cluster: &Value| cluster["spec"]["paused"].as_bool().unwrap_or_default();
        let clusters =
            after.source.0.iter().filter(|(name, _)| name.starts_with("Cluster.cluster."));
        let paused: Vec<_> = clusters.filter(|(_, cluster)| paused(cluster)).collect();
        assert!(paused.is_empty(), "paused clusters are left: {paused:?}");
    }
}

async fn form(plane: &Plane, namespace: &str) -> Dump {
    let dump = plane.dump(&[namespace, "capd-system"]).await;
    let uids = Uids::of(&dump);
    Normal { own: &uids, foreign: None }.form(&dump)
}

/// Fails unless the program exits with this code and says all of this.
pub(crate) fn expect(outcome: &Outcome, code: i32, says: &[&str]) {
    assert_eq!(outcome.code, Some(code), "{outcome}");
    for text in says {
        assert!(outcome.says(text), "it should say {text:?}: {outcome}");
    }
}

/// A kubeconfig for a server and a user, in JSON, which is YAML.
pub(crate) fn kubeconfig(folder: &Path, name: &str, server: &str, user: &Value) -> PathBuf {
    let path = folder.join(name);
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": {"server": server,
            "insecure-skip-tls-verify": true}}],
        "users": [{"name": "it", "user": user}],
    });
    std::fs::write(&path, config.to_string()).expect("the temporary folder is writable");
    path
}

/// Creates a cluster-scoped object of a group that no population has.
pub(crate) async fn create(plane: &Plane, plural: &str, object: Value) {
    let object = Object::new(object);
    let kind = ResourceType::new(object.api_version(), object.kind(), plural, false);
    plane.client().create(&kind, &object, &WriteOptions::default()).await.expect("a valid object");
}

/// Deletes it again.
pub(crate) async fn delete(plane: &Plane, api_version: &str, kind: &str, plural: &str, name: &str) {
    let kind = ResourceType::new(api_version, kind, plural, false);
    let object = plane.client().get(&kind, None, name).await.expect("can be read");
    let uid = object.expect("is there").uid().to_owned();
    plane.client().delete(&kind, None, name, &uid).await.expect("can be deleted");
}
