//! The target's kubeconfig, from the Secret that Cluster API has made, with an address that leads
//! to the target from here.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use capi::well_known;
use cluster::{Client, KubeconfigRef, RetryPolicy};
use own_files::private;
use support::causes::in_one_line;

use super::control_plane::the_cluster;
use crate::context::Turn;
use crate::error::StepError;
use crate::order::Step;
use crate::outline::{Draft, Sketch};
use crate::store::StoreError;
use crate::support::reach::{Way, ways};
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
    write_out(turn)?;
    let server = until_after(turn, FIRST, "the API server of the target is ready", async || {
        find(turn).await
    })
    .await?;
    write_out(turn)?;
    Ok(format!("{} for {server}", turn.spec().kubeconfig_out.display()))
}

/// An API server that does not answer in this time is asked by another way.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// File of the folder of a run: the target's kubeconfig with a way that is being tried.
const CANDIDATE: &str = "target.candidate.kubeconfig";

/// Looks for an address at which the target answers: the one of its kubeconfig first, then those
/// that the plugin knows. Returns it when it is ready.
async fn find(turn: &Turn<'_>) -> Result<Seen<String>, StepError> {
    let kubeconfig = turn.target_kubeconfig();
    let first = match ask(&kubeconfig).await? {
        Ok(server) => return Ok(Seen::Yes(server)),
        // An API server that starts answers with an error, and has been reached.
        Err((words, true)) => return Ok(Seen::NotYet(words)),
        Err((words, false)) => words,
    };
    if turn.spec().document.spec.to_kubeconfig.is_some() {
        return Ok(Seen::NotYet(first));
    }
    let ways = match ways(turn).await {
        Ok(ways) => ways,
        Err(error) if error.is_interruption() => return Err(error),
        Err(error) => return Ok(Seen::NotYet(format!("{first}; {}", in_one_line(&error)))),
    };
    let mut last = first;
    for way in ways {
        turn.check()?;
        match try_way(turn, &kubeconfig, &way).await? {
            Ok(server) => return Ok(Seen::Yes(server)),
            Err(words) => last = format!("{last}; {words}"),
        }
    }
    Ok(Seen::NotYet(last))
}

/// Leads the kubeconfig of the run another way if the target answers there.
async fn try_way(
    turn: &Turn<'_>,
    kubeconfig: &Path,
    way: &Way,
) -> Result<Result<String, String>, StepError> {
    let text = std::fs::read_to_string(kubeconfig).map_err(in_file(kubeconfig))?;
    let led = way.lead(&text)?;
    let candidate = turn.folder().write(CANDIDATE, &led)?;
    let answer = ask(&candidate).await;
    turn.folder().discard(CANDIDATE)?;
    match answer? {
        Ok(server) => {
            turn.write_target_kubeconfig(led.as_bytes())?;
            turn.events.note(format!(
                "the address in the kubeconfig of Cluster API does not answer here; {server} does"
            ));
            Ok(Ok(server))
        }
        Err((words, _)) => Ok(Err(words)),
    }
}

/// Returns the address of an API server that is ready, or else its answer in words and true if an
/// API server has given it.
async fn ask(kubeconfig: &Path) -> Result<Result<String, (String, bool)>, StepError> {
    let client = Client::connect("target", &KubeconfigRef::file(kubeconfig)).await?;
    let client = client.with_retry(RetryPolicy { attempts: 1, ..RetryPolicy::brief() });
    let server = client.server().to_owned();
    // Not `/version`: that answers before there are namespaces and roles.
    let answer = tokio::time::timeout(ANSWER_TIMEOUT, client.get_text("/readyz")).await;
    Ok(match answer {
        Ok(Ok(text)) if text == "ok" => Ok(server),
        Ok(Ok(_)) => Err((format!("/readyz of {server} does not answer `ok`"), true)),
        Ok(Err(error)) => Err((in_one_line(&error), error.code().is_some())),
        Err(_) => {
            let seconds = ANSWER_TIMEOUT.as_secs();
            Err((format!("{server} does not answer within {seconds} s"), false))
        }
    })
}

/// Writes the kubeconfig of the target where the user wants it.
fn write_out(turn: &Turn<'_>) -> Result<(), StepError> {
    let kubeconfig = turn.target_kubeconfig();
    let content = std::fs::read(&kubeconfig).map_err(in_file(&kubeconfig))?;
    let out = &turn.spec().kubeconfig_out;
    private::write(out, content).map_err(in_file(out))?;
    Ok(())
}

fn in_file(path: &Path) -> impl Fn(std::io::Error) -> StoreError {
    move |source| StoreError::File { path: path.to_owned(), source: source.into() }
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
    .and("if its address does not answer here, takes one that the plugin knows")
}
