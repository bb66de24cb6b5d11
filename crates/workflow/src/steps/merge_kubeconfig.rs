//! The target's cluster, user and context in the kubeconfig of the user, if they want it.

use std::path::{Path, PathBuf};

use crate::context::StepContext;
use crate::error::StepError;
use crate::outline::{DryRun, StepPreview};
use crate::spec::Spec;
use crate::user_kubeconfig::{self, Access, Merged, Names};

pub(super) async fn perform(step_context: &StepContext<'_>) -> Result<String, StepError> {
    if !step_context.spec().merges_kubeconfig() {
        return Ok("not asked for".to_owned());
    }
    let access = Access::read(&step_context.target_kubeconfig())?;
    let Merged { context, files, is_current } =
        user_kubeconfig::merge(&access, &owner(step_context)).await?;
    let current = if is_current { ", which is the current one" } else { "" };
    Ok(match files.as_slice() {
        [] => format!("context {context} was there already{current}"),
        files => format!("context {context} in {}{current}", list(files)),
    })
}

/// Checks that the merge can be done in the end, as far as that is known before the first step.
pub(super) async fn check(step_context: &StepContext<'_>) -> Result<(), StepError> {
    if !step_context.spec().merges_kubeconfig() {
        return Ok(());
    }
    let (names, access) = known(step_context.spec(), &step_context.target_kubeconfig())?;
    user_kubeconfig::check(&names, access.as_ref(), &owner(step_context)).await?;
    Ok(())
}

/// The names of what is merged; and what it is, if the target's kubeconfig is there.
fn known(spec: &Spec, kubeconfig: &Path) -> Result<(Names, Option<Access>), StepError> {
    if !kubeconfig.exists() {
        return Ok((Names::of_cluster_api(&spec.name), None));
    }
    let access = Access::read(kubeconfig)?;
    Ok((access.names.clone(), Some(access)))
}

/// The words in the lock of the user's kubeconfig: only the process that has the run's folder
/// writes them.
fn owner(step_context: &StepContext<'_>) -> String {
    format!("kubectl-pivot {}\n", step_context.folder().file("").display())
}

fn list(files: &[PathBuf]) -> String {
    let names: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    names.join(" and ")
}

pub(super) fn sketch(sketch: &DryRun<'_>) -> Result<StepPreview, StepError> {
    let spec = sketch.spec;
    if !spec.merges_kubeconfig() {
        return Ok(StepPreview::says("does nothing without --merge-kubeconfig"));
    }
    let given = spec.document.spec.to_kubeconfig.clone().unwrap_or_default();
    let (names, access) = known(spec, &given)?;
    let Merged { context, files, is_current } = user_kubeconfig::preview(&names, access.as_ref())?;
    let draft = StepPreview::says(format!(
        "merges the target's cluster, user and context {context} into {}",
        list(&files)
    ));
    Ok(draft.and(match is_current {
        true => "makes it the current context, since there is no other",
        false => "leaves your current context as it is",
    }))
}
