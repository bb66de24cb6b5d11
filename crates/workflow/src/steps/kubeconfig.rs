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
use crate::context::StepContext;
use crate::error::StepError;
use crate::order::Step;
use crate::outline::{DryRun, StepPreview};
use crate::store::StoreError;
use crate::support::moved::moved_away;
use crate::support::reach::{Way, ways};
use crate::support::wait::{Poll, until_after};

/// Waits at the same time, and can say more about what is missing: until it has ended, time does
/// not count here.
const FIRST: Step = Step::ControlPlane;

pub(super) async fn perform(step_context: &StepContext<'_>) -> Result<String, StepError> {
    let given = &step_context.spec().document.spec.to_kubeconfig;
    if given.is_none() && !step_context.target_kubeconfig().exists() {
        let kubeconfig = read_secret(step_context).await?;
        step_context.write_target_kubeconfig(&kubeconfig)?;
    }
    if let Some(path) = given {
        wait_for(step_context, path).await?;
    }
    write_out(step_context)?;
    let server =
        until_after(step_context, FIRST, "the API server of the target is ready", async || {
            find(step_context).await
        })
        .await?;
    write_out(step_context)?;
    Ok(format!("{} for {server}", step_context.spec().kubeconfig_out.display()))
}

/// An API server that does not answer in this time is asked by another way.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// File of the folder of a run: the target's kubeconfig with a way that is being tried.
const CANDIDATE: &str = "target.candidate.kubeconfig";

/// Looks for an address at which the target answers: the one of its kubeconfig first, then those
/// that the plugin knows. Returns it when it is ready.
async fn find(step_context: &StepContext<'_>) -> Result<Poll<String>, StepError> {
    let kubeconfig = step_context.target_kubeconfig();
    let first = match ask(&kubeconfig).await? {
        Ok(server) => return Ok(Poll::Ready(server)),
        // An API server that starts answers with an error, and has been reached.
        Err((words, true)) => return Ok(Poll::Pending(words)),
        Err((words, false)) => words,
    };
    if step_context.spec().document.spec.to_kubeconfig.is_some() {
        return Ok(Poll::Pending(first));
    }
    let ways = match ways(step_context).await {
        Ok(ways) => ways,
        Err(error) if error.is_interruption() => return Err(error),
        Err(error) => return Ok(Poll::Pending(format!("{first}; {}", in_one_line(&error)))),
    };
    let mut last = first;
    for way in ways {
        step_context.check()?;
        match try_way(step_context, &kubeconfig, &way).await? {
            Ok(server) => return Ok(Poll::Ready(server)),
            Err(words) => last = format!("{last}; {words}"),
        }
    }
    Ok(Poll::Pending(last))
}

/// Leads the kubeconfig of the run another way if the target answers there.
async fn try_way(
    step_context: &StepContext<'_>,
    kubeconfig: &Path,
    way: &Way,
) -> Result<Result<String, String>, StepError> {
    let text = std::fs::read_to_string(kubeconfig).map_err(in_file(kubeconfig))?;
    let led = way.lead(&text)?;
    let candidate = step_context.folder().write(CANDIDATE, &led)?;
    let answer = ask(&candidate).await;
    step_context.folder().discard(CANDIDATE)?;
    match answer? {
        Ok(server) => {
            step_context.write_target_kubeconfig(led.as_bytes())?;
            step_context.events.note(format!(
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
fn write_out(step_context: &StepContext<'_>) -> Result<(), StepError> {
    let kubeconfig = step_context.target_kubeconfig();
    let content = std::fs::read(&kubeconfig).map_err(in_file(&kubeconfig))?;
    let out = &step_context.spec().kubeconfig_out;
    private::write(out, content).map_err(in_file(out))?;
    Ok(())
}

fn in_file(path: &Path) -> impl Fn(std::io::Error) -> StoreError {
    move |source| StoreError::File { path: path.to_owned(), source: source.into() }
}

/// The file of a user may come while the target does: the address to reach it at is known only
/// then.
async fn wait_for(step_context: &StepContext<'_>, path: &Path) -> Result<(), StepError> {
    let what = format!("the kubeconfig {} is there", path.display());
    until_after(step_context, FIRST, &what, async || {
        Ok(match path.exists() {
            true => Poll::Ready(()),
            false => Poll::Pending(format!("{} is not there", path.display())),
        })
    })
    .await
}

async fn read_secret(step_context: &StepContext<'_>) -> Result<Vec<u8>, StepError> {
    let cluster = step_context.bootstrap().await?;
    let secrets = well_known::secret();
    let name = format!("{}-kubeconfig", step_context.spec().name);
    let namespace = step_context.spec().namespace.as_str();
    let is_moving = moved_away(step_context, &cluster).await?.is_some();
    until_after(
        step_context,
        FIRST,
        "the Secret with the kubeconfig of the target is there",
        async || {
            let Some(secret) = cluster.get(&secrets, Some(namespace), &name).await? else {
                if is_moving || the_cluster(step_context, &cluster).await?.is_none() {
                    return Err(StepError::refused(
                        "the cluster has moved away from the bootstrap cluster, its kubeconfig \
                         with it",
                        "name the kubeconfig of the target with --to-kubeconfig FILE",
                    ));
                }
                return Ok(Poll::Pending(format!("Secret {namespace}/{name} is not there")));
            };
            let value = secret.value()["data"]["value"].as_str().unwrap_or_default();
            match STANDARD.decode(value) {
                Ok(kubeconfig) if !kubeconfig.is_empty() => Ok(Poll::Ready(kubeconfig)),
                _ => Ok(Poll::Pending(format!("Secret {namespace}/{name} has no kubeconfig"))),
            }
        },
    )
    .await
}

pub(super) fn sketch(sketch: &DryRun<'_>) -> StepPreview {
    let spec = sketch.spec;
    let from = match &spec.document.spec.to_kubeconfig {
        Some(path) => path.display().to_string(),
        None => format!("Secret {}/{}-kubeconfig", spec.namespace, spec.name),
    };
    StepPreview::says(format!(
        "writes {} (mode 0600) from {from}, and waits until the API server answers",
        spec.kubeconfig_out.display()
    ))
    .and("if its address does not answer here, takes one that the plugin knows")
}
