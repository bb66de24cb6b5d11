//! One kube-controller-manager beside a control plane: the garbage collector and the namespace
//! controller, nothing else.
//!
//! They make a cluster behave as one does after a deletion of objects: what has lost its last owner
//! goes, and a namespace that is deleted is emptied and goes.

use std::path::{Path, PathBuf};

use capi::{Object, well_known};
use serde_json::{Value, json};

use super::error::{ControlPlaneError, FileError};
use super::install::named;
use super::kubeconfig::url;
use super::launch::{death, wait_for};
use super::parts::{Parts, Program};
use super::process::Process;
use super::young_server::{CallError, YoungServer};
use own_files::private;

/// The one who it is to the API server. Its controllers have service accounts of their own, as in
/// any cluster.
pub(super) const USER: (&str, Option<&str>) =
    ("system:kube-controller-manager", Some("system:masters"));

/// Only these: others would make objects that no test and no rehearsal asks for.
const CONTROLLERS: &str = "garbage-collector-controller,namespace-controller";

const NAMESPACE: &str = "default";
/// An object that the garbage collector deletes as soon as it works.
const PROBE: &str = "kubectl-pivot-sandbox-garbage";

/// Files of the controller manager.
pub(super) struct ControllerManager {
    program: Program,
    dir: PathBuf,
}

impl ControllerManager {
    /// Prepares `dir`, its folder.
    pub(super) fn prepare(parts: &Parts, dir: &Path) -> Result<Self, ControlPlaneError> {
        private::create_folder(dir).map_err(FileError::of("create", dir))?;
        let program = parts.program(&parts.kube_controller_manager);
        Ok(Self { program, dir: dir.to_owned() })
    }

    /// Starts it with a kubeconfig for [`USER`].
    pub(super) fn start(&self, kubeconfig: &Path) -> Result<Process, ControlPlaneError> {
        let log = self.dir.join("kube-controller-manager.log");
        self.program.start(&args(kubeconfig), &log)
    }
}

/// Arguments. It serves nothing: what it does to objects tells that it works.
fn args(kubeconfig: &Path) -> Vec<String> {
    vec![
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--controllers={CONTROLLERS}"),
        "--use-service-account-credentials".into(),
        "--leader-elect=false".into(),
        "--bind-address=127.0.0.1".into(),
        "--secure-port=0".into(),
        // With the default of 20 requests a second, listing all kinds once would take seconds.
        "--kube-api-qps=500".into(),
        "--kube-api-burst=1000".into(),
        // The log names each object that the garbage collector deletes.
        "--v=2".into(),
    ]
}

/// Waits until all CRDs are served, so that a garbage collector that starts now knows their kinds:
/// of later ones it learns within half a minute.
pub(super) async fn wait_for_kinds(kubeconfig: &Path) -> Result<(), ControlPlaneError> {
    let server = administrator(kubeconfig).await?;
    let listed = server.list(&well_known::crd()).await;
    let listed = listed.map_err(during("list CustomResourceDefinitions"))?;
    let crds: Vec<Value> = listed.into_iter().map(Object::into_value).collect();
    named(&server, &crds).await
}

/// Waits until the garbage collector has deleted an object whose owner does not exist. It deletes
/// nothing before it has listed every kind.
pub(super) async fn wait_until_it_collects(
    kubeconfig: &Path,
    port: u16,
    process: &mut Process,
) -> Result<(), ControlPlaneError> {
    let server = administrator(kubeconfig).await?;
    let (kind, once) = (well_known::config_map(), server.once());
    let created = server.create(&kind, &probe()).await;
    created.map_err(during("create an object without an owner"))?;
    let log = process.log().to_owned();
    let is_collected = || async {
        let gone = once.get(&kind, Some(NAMESPACE), PROBE).await?.is_none();
        let waiting = || CallError("the garbage collector has not deleted its probe".to_owned());
        gone.then_some(()).ok_or_else(waiting)
    };
    let (url, parts) = (url(port), &mut [process]);
    tokio::select! {
        collected = wait_for(&url, &log, is_collected) => collected,
        error = death(parts) => Err(error),
    }
}

fn probe() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": PROBE, "namespace": NAMESPACE, "ownerReferences": [{
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": format!("{PROBE}-owner"),
            "uid": "00000000-0000-4000-8000-000000000000",
        }]},
    })
}

async fn administrator(kubeconfig: &Path) -> Result<YoungServer, ControlPlaneError> {
    YoungServer::of(kubeconfig).await.map_err(during(&format!("read {}", kubeconfig.display())))
}

fn during(action: &str) -> impl FnOnce(CallError) -> ControlPlaneError {
    let action = action.to_owned();
    |error| ControlPlaneError::Setup { action, message: error.0 }
}
