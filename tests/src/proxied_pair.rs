//! A source and a target behind fault proxies, one population after the other in them.
//!
//! Every scenario has a tag of its own: the namespace that moves, and part of every other name that
//! belongs to it. So scenarios do not meet, and their dumps are alike once the tag is taken out.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use capi::{Object, ResourceType};
use cluster::{Client, PatchKind, WriteOptions};
use serde_json::{Value, json};

use crate::dump::{Dump, Normal, RawDump, Uids, diff, identity, report};
use crate::population::complete::{self, Places};
use crate::population::{Population, shapes};
use crate::program::Program;
use crate::proxy::{Activity, Proxy, Side, Traffic, one_sided};
use crate::twins::{Fixture, Pair, Plane};
use crate::{cleanup, journals};

/// The namespace of the Docker provider, where global identities keep their Secrets.
pub const PROVIDER_NAMESPACE: &str = "capd-system";

/// The variable that says how many seconds the Leases of the program last, for tests.
pub const LEASE_SECONDS: &str = "KUBECTL_PIVOT_TEST_LEASE_SECONDS";

/// Stands for the tag in dumps.
const TAG: &str = "TAG";

/// Annotations that a finished, resumed or rolled back run must not leave anywhere.
const MARKS: [&str; 5] = [
    "kubectl-pivot.io/run",
    "kubectl-pivot.io/finalizers",
    "kubectl-pivot.io/paused-by",
    "kubectl-pivot.io/record",
    "clusterctl.cluster.x-k8s.io/delete-for-move",
];

/// The annotation that pauses an object.
const PAUSED: &str = "cluster.x-k8s.io/paused";

/// Two clusters behind proxies.
pub struct ProxiedPair {
    // Dropped in this order: the control planes before their folder.
    proxies: [Proxy; 2],
    kubeconfigs: [PathBuf; 2],
    pair: Pair,
    fixture: Fixture,
    traffic: Traffic,
    seed: u64,
    homes: AtomicUsize,
    first_home: AtomicUsize,
    scenarios: AtomicUsize,
}

/// Objects of one scenario in both clusters, in normal form.
#[derive(Clone, Debug, PartialEq)]
pub struct Ends {
    /// Left in the source.
    pub source: Dump,
    /// Come to the target.
    pub target: Dump,
}

impl Ends {
    /// # Errors
    /// What is different in these ends of another run, as text.
    pub fn check_same(&self, other: &Self) -> Result<(), String> {
        if self == other {
            return Ok(());
        }
        let source = report(&diff(&self.source, &other.source), "expected", "found   ");
        let target = report(&diff(&self.target, &other.target), "expected", "found   ");
        Err(format!("different in the source:\n{source}different in the target:\n{target}"))
    }

    /// # Errors
    /// What of this beginning a run that was undone has not put back, as text.
    ///
    /// Whoever wrote `paused: false` no longer manages that field once it was `true` for a while:
    /// an API server gives a field to who changes it. Namespaces that the run has created in the
    /// target stay.
    pub fn check_put_back(&self, after: &Self) -> Result<(), String> {
        let source = without_false_pause(&self.source);
        let before = Self { source, target: self.target.clone() };
        let source = without_false_pause(&after.source);
        let target = after.target.without_new_namespaces(&self.target);
        before.check_same(&Self { source, target })
    }
}

/// Leaves out who manages an explicit `paused: false`.
fn without_false_pause(dump: &Dump) -> Dump {
    let mut dump = dump.clone();
    let clusters = dump.0.values_mut().filter(|object| object["spec"]["paused"] == false);
    for cluster in clusters {
        let Some(managers) = cluster["metadata"]["managedFields"].as_object_mut() else { continue };
        for fields in managers.values_mut() {
            if let Some(spec) = fields["f:spec"].as_object_mut() {
                spec.remove("f:paused");
            }
        }
        managers.retain(|_, fields| *fields != json!({"f:spec": {}}));
    }
    dump
}

impl ProxiedPair {
    /// Starts two control planes and their proxies. The seed of everything that is left to chance
    /// is `KUBECTL_PIVOT_SEED`, or new; it is printed.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn set() -> Self {
        Self::set_with(&[]).await
    }

    /// As [`ProxiedPair::set`], with further arguments of both API servers.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn set_with(apiserver_args: &[&str]) -> Self {
        let seed = seed();
        let fixture = Fixture::set().await;
        let [source, target] = fixture.planes(["source", "target"], apiserver_args).await;
        let pair = Pair { source, target };
        let traffic = Traffic::new(seed);
        let proxies = [
            Proxy::start(Side::Source, pair.source.kubeconfig(), &traffic).await,
            Proxy::start(Side::Target, pair.target.kubeconfig(), &traffic).await,
        ];
        let folder = fixture.folder("proxies");
        let kubeconfigs = [
            proxies[0].write_kubeconfig(folder.join("source.kubeconfig")),
            proxies[1].write_kubeconfig(folder.join("target.kubeconfig")),
        ];
        // The first run must find what all later ones find.
        let empty = Population::new(PROVIDER_NAMESPACE);
        tokio::join!(pair.source.populate(&empty), pair.target.populate(&empty));
        let [homes, first_home, scenarios] = [0; 3].map(AtomicUsize::new);
        Self { proxies, kubeconfigs, pair, fixture, traffic, seed, homes, first_home, scenarios }
    }

    /// State that the proxies share.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Seed of everything that is left to chance.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The control planes.
    pub fn pair(&self) -> &Pair {
        &self.pair
    }

    /// The fixture they stand on.
    pub fn fixture(&self) -> &Fixture {
        &self.fixture
    }

    /// The proxies, source first.
    pub fn proxies(&self) -> &[Proxy; 2] {
        &self.proxies
    }

    /// Our binary on a machine that it has never been on, with Leases that last a few seconds:
    /// cases wait for those of killed runs.
    pub fn program(&self) -> Program {
        let number = self.homes.fetch_add(1, Ordering::Relaxed);
        let program = Program::kubectl_pivot(&self.fixture.folder(&home_name(number)));
        program.env(LEASE_SECONDS, "5")
    }

    /// The machines that the program has been on in this scenario.
    fn homes(&self) -> impl Iterator<Item = PathBuf> {
        let numbers = self.first_home.load(Ordering::Relaxed)..self.homes.load(Ordering::Relaxed);
        numbers.map(|number| self.fixture.folder(&home_name(number)))
    }

    /// The kubeconfig of a cluster, through its proxy.
    pub fn kubeconfig(&self, side: Side) -> String {
        self.kubeconfigs[side as usize].display().to_string()
    }

    /// A subcommand between the proxies.
    pub fn args(&self, command: &str) -> Vec<String> {
        self.args_between(command, [0, 1])
    }

    /// A subcommand from target to source.
    pub fn args_backwards(&self, command: &str) -> Vec<String> {
        self.args_between(command, [1, 0])
    }

    fn args_between(&self, command: &str, [from, to]: [usize; 2]) -> Vec<String> {
        let path = |index: usize| self.kubeconfigs[index].display().to_string();
        [command, "--quiet", "--kubeconfig", &path(from), "--to-kubeconfig", &path(to)]
            .map(str::to_owned)
            .to_vec()
    }

    /// A move of a namespace between the proxies, its writes one after the other.
    pub fn move_args(&self, tag: &str) -> Vec<String> {
        let mut args = self.args("move");
        args.extend(["-n", tag, "--yes", "--max-in-flight", "1"].map(str::to_owned));
        args
    }

    /// A name for the next scenario.
    pub fn tag(&self) -> String {
        format!("story-{:04}", self.scenarios.fetch_add(1, Ordering::Relaxed))
    }

    /// Creates a fresh complete population in the source, and begins its timeline.
    ///
    /// # Panics
    /// When the API server refuses an object.
    pub async fn populate(&self, tag: &str) {
        let home = home(tag);
        let places = Places { namespace: tag, home: &home, provider: PROVIDER_NAMESPACE };
        self.populate_with(tag, &complete::population(&places)).await;
    }

    /// As [`ProxiedPair::populate`], with a population of the scenario's own.
    ///
    /// # Panics
    /// When the API server refuses an object.
    pub async fn populate_with(&self, tag: &str, population: &Population) {
        self.pair.source.populate(population).await;
        self.begin_timeline(tag).await;
        self.first_home.store(self.homes.load(Ordering::Relaxed), Ordering::Relaxed);
        self.traffic.begin_run();
    }

    async fn begin_timeline(&self, tag: &str) {
        let mut objects = Vec::new();
        for (side, plane) in [(Side::Source, &self.pair.source), (Side::Target, &self.pair.target)]
        {
            objects.extend(one_sided(side, plane.client(), Some(tag)).await);
        }
        let is_active = |(_, _, state): &(_, _, Activity)| *state == Activity::Active;
        assert!(objects.iter().any(is_active), "the scenario of {tag} has no active Cluster");
        self.traffic.begin_timeline(objects);
    }

    /// Objects of a scenario in both clusters.
    ///
    /// # Panics
    /// When a list fails.
    pub async fn ends(&self, tag: &str) -> Ends {
        let (source, target) =
            tokio::join!(raw(&self.pair.source, tag), raw(&self.pair.target, tag));
        let (source_uids, target_uids) = (Uids::of(&source), Uids::of(&target));
        let of_source = Normal { own: &source_uids, foreign: None }.form(&source);
        let of_target = Normal { own: &target_uids, foreign: Some(&source_uids) }.form(&target);
        Ends { source: untagged(&of_source, tag), target: untagged(&of_target, tag) }
    }

    /// Leftovers of a scenario, or of any run, that should not be there once a run has ended: marks on
    /// objects, Leases, lists of copies, instants with two active sides, journals that no legal run
    /// has.
    pub async fn leftovers(&self, tag: &str) -> Vec<String> {
        let mut left = self.traffic.timeline().violations().to_vec();
        left.extend(journals::violations(self.homes()));
        for (name, plane) in [("source", &self.pair.source), ("target", &self.pair.target)] {
            for object in raw(plane, tag).await.objects() {
                let marks = MARKS.iter().filter(|mark| object.annotation(mark).is_some());
                left.extend(marks.map(|mark| format!("{name}: {mark} on {}", identity(object))));
                // Users of the populations pause with an empty value.
                let pause = object.annotation(PAUSED).filter(|value| !value.is_empty());
                left.extend(pause.map(|_| format!("{name}: {PAUSED} on {}", identity(object))));
            }
            left.extend(leases(plane.client()).await.iter().map(|lease| {
                format!("{name}: Lease {}/{}", lease.namespace().unwrap_or("-"), lease.name())
            }));
            left.extend(
                lists_of_copies(plane.client())
                    .await
                    .iter()
                    .map(|list| format!("{name}: list of copies {}", identity(list))),
            );
        }
        left
    }

    /// Removes the Leases of our runs from both clusters.
    pub async fn remove_leases(&self) {
        self.remove_leases_of(&self.pair.source).await;
        self.remove_leases_of(&self.pair.target).await;
    }

    /// Removes the Leases of our runs from both clusters, and leaves their lists of copies.
    pub async fn lose_records(&self) {
        for plane in [&self.pair.source, &self.pair.target] {
            delete_leases(plane).await;
        }
    }

    /// Removes the Lease of our run from one cluster.
    ///
    /// # Panics
    /// When it cannot be deleted.
    pub async fn remove_leases_of(&self, plane: &Plane) {
        remove_leases(plane).await;
    }

    /// Takes the holders out of the Leases of our runs, as a run does that ends in an error.
    ///
    /// # Panics
    /// When one cannot be changed.
    pub async fn free_leases(&self) {
        for plane in [&self.pair.source, &self.pair.target] {
            for mut lease in leases(plane.client()).await {
                lease.value_mut()["spec"]["holderIdentity"] = Value::Null;
                let options = WriteOptions::manager("kubectl-edit");
                let freed = plane.client().update(&lease_type(), &lease, &options).await;
                freed.expect("Leases can be changed");
            }
        }
    }

    /// Makes the last renewal of the Leases of our runs one of a machine whose clock is ahead by
    /// this much, and their time short.
    ///
    /// # Panics
    /// When one cannot be changed.
    pub async fn renew_leases_ahead(&self, by: Duration) {
        let renewed = jiff::Timestamp::now() + by;
        for plane in [&self.pair.source, &self.pair.target] {
            for mut lease in leases(plane.client()).await {
                let spec = &mut lease.value_mut()["spec"];
                spec["renewTime"] = renewed.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string().into();
                spec["leaseDurationSeconds"] = 3.into();
                let options = WriteOptions::manager("kubectl-edit");
                let changed = plane.client().update(&lease_type(), &lease, &options).await;
                changed.expect("Leases can be changed");
            }
        }
    }

    /// Takes everything that may move out of a namespace of both clusters.
    ///
    /// # Panics
    /// When something cannot be deleted.
    pub async fn empty(&self, namespace: &str) {
        for plane in [&self.pair.source, &self.pair.target] {
            let dump = plane.dump(&[namespace]).await;
            let may_move = |object: &&Object| {
                let is_in = object.namespace() == Some(namespace);
                is_in && (object.api_version().contains("x-k8s.io/") || object.kind() == "Secret")
            };
            let objects = dump.objects().iter().filter(may_move).cloned();
            cleanup::wipe(plane, &RawDump::from(objects.collect::<Vec<_>>())).await;
        }
    }

    /// Ends a scenario, however far it has come: its objects go from both clusters, and all Leases.
    pub async fn clean_up(&self, tag: &str) {
        self.traffic.begin_run();
        tokio::join!(wipe(&self.pair.source, tag), wipe(&self.pair.target, tag));
    }
}

async fn wipe(plane: &Plane, tag: &str) {
    cleanup::wipe(plane, &raw(plane, tag).await).await;
    remove_leases(plane).await;
}

fn home_name(number: usize) -> String {
    format!("home-{number}")
}

/// The Leases of our runs in a cluster.
///
/// # Panics
/// When they cannot be listed.
pub async fn leases(client: &Client) -> Vec<Object> {
    let listed = client.list(&lease_type(), None).await.expect("Leases can be listed");
    listed.into_iter().filter(|lease| lease.name() == "kubectl-pivot").collect()
}

/// The ConfigMaps in which our runs list their copies.
///
/// # Panics
/// When they cannot be listed.
pub async fn lists_of_copies(client: &Client) -> Vec<Object> {
    let config_maps = ResourceType::core("ConfigMap", "configmaps");
    let listed = client.list_selected(&config_maps, None, "kubectl-pivot.io/copies-of").await;
    listed.expect("ConfigMaps can be listed")
}

/// Leases.
pub fn lease_type() -> ResourceType {
    ResourceType::new("coordination.k8s.io/v1", "Lease", "leases", true)
}

/// Clusters.
pub fn cluster_type() -> ResourceType {
    ResourceType::new(shapes::CORE, "Cluster", "clusters", true)
}

fn seed() -> u64 {
    let given = std::env::var("KUBECTL_PIVOT_SEED").ok();
    let seed = given.map_or_else(rand::random, |text| text.parse().expect("a seed is a number"));
    tell(&format!("KUBECTL_PIVOT_SEED={seed}"));
    seed
}

/// Says something on the way.
#[expect(clippy::print_stderr, reason = "a suite that runs for minutes should say what it does")]
pub fn tell(text: &str) {
    eprintln!("{text}");
}

/// The namespace of a scenario that stays.
fn home(tag: &str) -> String {
    format!("home-{tag}")
}

/// The objects of a scenario: their namespace or their name has its tag.
async fn raw(plane: &Plane, tag: &str) -> RawDump {
    let dump = plane.dump(&[tag, &home(tag), PROVIDER_NAMESPACE]).await;
    let belongs = |object: &&Object| identity(object).contains(tag);
    RawDump::from(dump.objects().iter().filter(belongs).cloned().collect::<Vec<_>>())
}

fn untagged(dump: &Dump, tag: &str) -> Dump {
    let parse = |value: &Value| {
        serde_json::from_str(&value.to_string().replace(tag, TAG)).expect("only words are replaced")
    };
    Dump(dump.0.iter().map(|(name, value)| (name.replace(tag, TAG), parse(value))).collect())
}

async fn delete_leases(plane: &Plane) {
    for lease in leases(plane.client()).await {
        let (namespace, name) = (lease.namespace(), lease.name());
        let deleted = plane.client().delete(&lease_type(), namespace, name, lease.uid()).await;
        deleted.expect("Leases can be deleted");
    }
}

async fn remove_leases(plane: &Plane) {
    delete_leases(plane).await;
    let kind = ResourceType::core("ConfigMap", "configmaps");
    let free = json!({"metadata": {"finalizers": null}});
    for list in lists_of_copies(plane.client()).await {
        let place = (list.namespace(), list.name());
        let options = WriteOptions::manager("kubectl-edit");
        let freed = plane.client().patch(&kind, place, (PatchKind::Merge, &free), &options).await;
        freed.expect("ConfigMaps can be changed");
        let deleted = plane.client().delete(&kind, list.namespace(), list.name(), list.uid()).await;
        deleted.expect("ConfigMaps can be deleted");
    }
}
