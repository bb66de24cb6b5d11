//! Control planes for the suites: one, a source and a target, or two such pairs with the same
//! content, of which one is moved by clusterctl and the other by us.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cluster::{Client, KubeconfigRef};
use futures::future::try_join_all;
use sandbox::{ControlPlane, ControlPlaneError, ControlPlaneOptions, Part, Parts};
use support::journal::{Event, Events};
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

use crate::dump::{Kinds, RawDump, garbage};
use crate::parts;
use crate::population::{Population, crds};
use crate::program::{Outcome, Program};

/// Limits the time of the garbage collector.
const COLLECTION_TIMEOUT: Duration = Duration::from_secs(60);

/// A running management cluster: the garbage collector and the namespace controller are the only
/// controllers.
pub struct Plane {
    kubeconfig: PathBuf,
    control: Mutex<ControlPlane>,
    client: Client,
    kinds: Kinds,
}

impl Plane {
    /// Starts one in `dir` with the CRDs of Cluster API and our own.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(
        dir: &Path,
        name: &str,
        parts: &Parts,
        extra_args: &[&str],
    ) -> Result<Self, ControlPlaneError> {
        let options = ControlPlaneOptions {
            name: name.to_owned(),
            extra_apiserver_args: extra_args.iter().map(|arg| (*arg).to_owned()).collect(),
            ..ControlPlaneOptions::default()
        };
        let events = Events::none();
        let mut control = ControlPlane::start(dir.join(name), parts, options, &events).await?;
        let client = Client::connect(name, &KubeconfigRef::file(control.kubeconfig())).await;
        let client = client.expect("the sandbox writes a usable kubeconfig");
        crds::install(&client).await.expect("the CRDs of the tests are valid");
        control.start_controller_manager(&events).await?;
        let kinds = Kinds::read(&client).await.expect("CRDs can be listed");
        let kubeconfig = control.kubeconfig().to_owned();
        Ok(Self { kubeconfig, control: Mutex::new(control), client, kinds })
    }

    /// The client of its administrator.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The kinds it serves.
    pub fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The control plane itself.
    ///
    /// # Panics
    /// While its API server is made to crash.
    pub fn control(&self) -> MutexGuard<'_, ControlPlane> {
        self.control.try_lock().expect("nobody crashes it at the same time")
    }

    /// Kills its API server the hard way, and starts it again on the same port after a while.
    ///
    /// # Panics
    /// When it does not start again.
    pub async fn crash_apiserver(&self, dead_for: Duration) {
        let mut control = self.control.lock().await;
        control.kill_apiserver().await;
        tokio::time::sleep(dead_for).await;
        control.restart_apiserver().await.expect("an API server that has run before");
    }

    /// Kills its etcd the hard way, and starts it again with its data after a while.
    ///
    /// # Panics
    /// When it does not start again.
    pub async fn crash_etcd(&self, dead_for: Duration) {
        let mut control = self.control.lock().await;
        control.kill_etcd().await;
        tokio::time::sleep(dead_for).await;
        control.restart_etcd().await.expect("an etcd that has run before");
    }

    /// Creates a population.
    ///
    /// # Panics
    /// When the API server refuses an object.
    pub async fn populate(&self, population: &Population) {
        let created = population.create(&self.client, &self.kinds).await;
        created.unwrap_or_else(|error| panic!("population of {}: {error}", population.namespace()));
    }

    /// Everything in these namespaces and everything cluster-scoped.
    ///
    /// # Panics
    /// When a list fails.
    pub async fn dump(&self, namespaces: &[&str]) -> RawDump {
        RawDump::read(&self.client, &self.kinds, namespaces).await.expect("kinds can be listed")
    }

    /// As [`Plane::dump`], when the garbage collector has nothing left to do there.
    ///
    /// # Panics
    /// When a list fails, or the garbage collector does not come to an end.
    pub async fn dump_at_rest(&self, namespaces: &[&str]) -> RawDump {
        let begun = Instant::now();
        loop {
            let dump = self.dump(namespaces).await;
            let garbage = garbage(&dump, &self.kinds);
            if garbage.is_empty() {
                return dump;
            }
            assert!(begun.elapsed() < COLLECTION_TIMEOUT, "not collected: {garbage:#?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// A source and a target.
pub struct Pair {
    /// Source of the move.
    pub source: Plane,
    /// Target of the move.
    pub target: Plane,
}

/// The parts, and a folder that goes when the suite ends: all suites need them.
pub struct Fixture {
    parts: Parts,
    clusterctl: PathBuf,
    dir: TempDir,
}

impl Fixture {
    /// Finds the parts; builds what is missing.
    ///
    /// # Panics
    /// When a part is missing and cannot be built; the message says how to get it.
    pub async fn set() -> Self {
        let options = parts::options();
        let events = Events::to(tell);
        let missing = |error: sandbox::PartsError| -> ! {
            panic!("{error}\nhint: {}", error.hint().unwrap_or_default())
        };
        let parts = Parts::resolve(&options, &events).await.unwrap_or_else(|error| missing(error));
        let clusterctl = Part::Clusterctl.resolve(&options, &events).await;
        let clusterctl = clusterctl.unwrap_or_else(|error| missing(error));
        Self { parts, clusterctl, dir: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A folder of its own for each name.
    ///
    /// # Panics
    /// When it cannot be created.
    pub fn folder(&self, name: &str) -> PathBuf {
        let folder = self.dir.path().join(name);
        std::fs::create_dir_all(&folder).expect("the temporary folder is writable");
        folder
    }

    /// Starts control planes side by side.
    ///
    /// # Panics
    /// When one does not start.
    pub async fn planes<const N: usize>(
        &self,
        names: [&str; N],
        extra_args: &[&str],
    ) -> [Plane; N] {
        let dir = self.folder("planes");
        let starts = names.map(|name| {
            let dir = dir.clone();
            async move { Plane::start(&dir, name, &self.parts, extra_args).await }
        });
        let planes = try_join_all(starts).await.unwrap_or_else(|error| panic!("{error:?}"));
        planes.try_into().unwrap_or_else(|_| unreachable!("as many planes as names"))
    }

    /// Starts a source and a target.
    ///
    /// # Panics
    /// When one does not start.
    pub async fn pair(&self, source: &str, target: &str) -> Pair {
        let [source, target] = self.planes([source, target], &[]).await;
        Pair { source, target }
    }

    /// Starts two pairs.
    ///
    /// # Panics
    /// When one does not start.
    pub async fn twins(&self) -> Twins {
        let names = ["clusterctl-source", "clusterctl-target", "our-source", "our-target"];
        let [a, b, c, d] = self.planes(names, &[]).await;
        Twins { theirs: Pair { source: a, target: b }, ours: Pair { source: c, target: d } }
    }

    /// The real clusterctl.
    pub fn clusterctl(&self) -> Program {
        Program::clusterctl(&self.clusterctl, &self.folder("clusterctl-home"))
    }

    /// Our binary.
    pub fn kubectl_pivot(&self) -> Program {
        Program::kubectl_pivot(&self.folder("pivot-home"))
    }
}

/// Two pairs with the same content.
pub struct Twins {
    /// Moved by clusterctl.
    pub theirs: Pair,
    /// Moved by us.
    pub ours: Pair,
}

impl Twins {
    /// Creates a population in both sources.
    ///
    /// # Panics
    /// When an API server refuses an object.
    pub async fn populate(&self, population: &Population) {
        tokio::join!(
            self.theirs.source.populate(population),
            self.ours.source.populate(population)
        );
    }
}

impl Pair {
    /// The arguments of a move from one to the other that both programs understand.
    pub fn move_args(&self, namespace: &str) -> Vec<String> {
        let path = |plane: &Plane| plane.kubeconfig().display().to_string();
        let args = [
            "move",
            "--kubeconfig",
            &path(&self.source),
            "--to-kubeconfig",
            &path(&self.target),
            "-n",
            namespace,
        ];
        args.map(str::to_owned).to_vec()
    }

    /// Moves a namespace with clusterctl.
    pub async fn move_by_clusterctl(&self, fixture: &Fixture, namespace: &str) -> Outcome {
        fixture.clusterctl().run(self.move_args(namespace)).await
    }

    /// Moves a namespace with our binary, which reports as JSON.
    pub async fn move_by_us(&self, fixture: &Fixture, namespace: &str) -> Outcome {
        let mut args = self.move_args(namespace);
        args.extend(["-o", "json", "--yes"].map(str::to_owned));
        fixture.kubectl_pivot().run(args).await
    }
}

#[expect(
    clippy::print_stderr,
    reason = "building a part takes minutes, and the output should say so"
)]
fn tell(event: Event) {
    if let Event::Doing(what) = event {
        eprintln!("{what}");
    }
}
