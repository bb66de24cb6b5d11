//! The target's kubeconfig, from the Secret that Cluster API has made.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use capi::well_known;
use own_files::private;
use support::causes::in_one_line;

use super::control_plane::the_cluster;
use crate::context::Turn;
use crate::error::StepError;
use crate::order::Step;
use crate::outline::{Draft, Sketch};
use crate::store::StoreError;
use crate::support::wait::{Seen, until_after};

/// Waits at the same time, and can say more about what is missing: until it has ended, time does
/// not count here.
const FIRST: Step = Step::ControlPlane;

pub(super) async fn perform(turn: &Turn<'_>) -> Result<String, StepError> {
    let given = &turn.spec().document.spec.to_kubeconfig;
    if given.is_none() && !turn.target_kubeconfig().exists() {
        let kubeconfig = read_secret(turn).await?;
        turn.write_target_kubeconfig(&kubeconfig)?;
    }
    if let Some(path) = given {
        wait_for(turn, path).await?;
    }
    let kubeconfig = turn.target_kubeconfig();
    let content = std::fs::read(&kubeconfig)
        .map_err(|source| StoreError::File { path: kubeconfig.clone(), source: source.into() })?;
    let out = &turn.spec().kubeconfig_out;
    private::write(out, content)
        .map_err(|source| StoreError::File { path: out.clone(), source: source.into() })?;
    let target = turn.target().await?.with_retry(cluster::RetryPolicy::brief());
    until_after(turn, FIRST, "the API server of the target is ready", async || {
        // Not `/version`: that answers before there are namespaces and roles.
        match target.get_text("/readyz").await.as_deref() {
            Ok("ok") => Ok(Seen::Yes(())),
            Ok(_) => Ok(Seen::NotYet("/readyz does not answer `ok`".to_owned())),
            Err(error) => Ok(Seen::NotYet(in_one_line(error))),
        }
    })
    .await?;
    Ok(format!("{} for {}", out.display(), target.server()))
}

/// The file of a user may come while the target does: the address to reach it at is known only
/// then.
async fn wait_for(turn: &Turn<'_>, path: &Path) -> Result<(), StepError> {
    let what = format!("the kubeconfig {} is there", path.display());
    until_after(turn, FIRST, &what, async || {
        Ok(match path.exists() {
            true => Seen::Yes(()),
            false => Seen::NotYet(format!("{} is not there", path.display())),
        })
    })
    .await
}

async fn read_secret(turn: &Turn<'_>) -> Result<Vec<u8>, StepError> {
    let cluster = turn.bootstrap().await?;
    let secrets = well_known::secret();
    let name = format!("{}-kubeconfig", turn.spec().name);
    let namespace = turn.spec().namespace.as_str();
    until_after(turn, FIRST, "the Secret with the kubeconfig of the target is there", async || {
        if the_cluster(turn, &cluster).await?.is_none() {
            return Err(StepError::refused(
                "the cluster has moved away from the bootstrap cluster, its kubeconfig with it",
                "name the kubeconfig of the target with --to-kubeconfig FILE",
            ));
        }
        let Some(secret) = cluster.get(&secrets, Some(namespace), &name).await? else {
            return Ok(Seen::NotYet(format!("Secret {namespace}/{name} is not there")));
        };
        let value = secret.value()["data"]["value"].as_str().unwrap_or_default();
        match STANDARD.decode(value) {
            Ok(kubeconfig) if !kubeconfig.is_empty() => Ok(Seen::Yes(kubeconfig)),
            _ => Ok(Seen::NotYet(format!("Secret {namespace}/{name} has no kubeconfig"))),
        }
    })
    .await
}

pub(super) fn sketch(sketch: &Sketch<'_>) -> Draft {
    let spec = sketch.spec;
    let from = match &spec.document.spec.to_kubeconfig {
        Some(path) => path.display().to_string(),
        None => format!("Secret {}/{}-kubeconfig", spec.namespace, spec.name),
    };
    Draft::says(format!(
        "writes {} (mode 0600) from {from}, and waits until the API server answers",
        spec.kubeconfig_out.display()
    ))
}
