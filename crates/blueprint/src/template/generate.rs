//! Running `clusterctl generate cluster`, once for each plan.

use std::path::Path;

use kubectl_pivot_plugin_api::{ClusterctlTemplate, TemplatePatch};
use serde_json::Value;
use support::yaml;
use tools::{KnownTool, ToolCommand, Toolbox};

use super::against;
use super::error::TemplateError;
use super::kept::KeptTemplate;
use crate::nulls::without_nulls;
use crate::request::BlueprintRequest;

/// The clusterctl that fills templates in.
#[derive(Clone, Copy, Debug)]
pub struct Clusterctl<'a> {
    /// The programs to use.
    pub toolbox: &'a Toolbox,
    /// The configuration, which may name other repositories; that of clusterctl if absent.
    pub config: Option<&'a Path>,
    /// The output of an earlier run of the same, which is used in place of another one.
    pub kept: Option<&'a KeptTemplate>,
}

/// A plan, and the objects that were generated for it.
#[derive(Clone, Debug)]
pub(crate) struct Generated {
    plan: ClusterctlTemplate,
    objects: Vec<Value>,
    kept: Option<KeptTemplate>,
}

/// The plugin, the request, and the secrets among its variables.
pub(crate) struct About<'a> {
    pub(crate) plugin: &'a str,
    pub(crate) request: &'a BlueprintRequest,
    pub(crate) secrets: &'a [String],
}

impl Generated {
    /// Fills the template in, unless the output for this very plan was kept, changes the objects as
    /// the plugin wants it, and holds them against the request.
    pub(crate) async fn new(
        clusterctl: &Clusterctl<'_>,
        plan: ClusterctlTemplate,
        about: &About<'_>,
    ) -> Result<Self, TemplateError> {
        let About { plugin, request, secrets } = *about;
        let provider = plan.provider.clone();
        if version(&plan, request).is_empty() {
            return Err(TemplateError::NoVersion(provider));
        }
        let line = command(&plan, request, None).line(KnownTool::Clusterctl.name());
        let kept = clusterctl.kept.and_then(|kept| kept.printed((&line, &plan)));
        let printed = match kept {
            Some(printed) => printed,
            None => print(clusterctl, &plan, request).await?,
        };
        let kept = KeptTemplate::new((line, &plan), &printed, secrets);
        let mut objects = printed;
        for patch in &plan.patches {
            let change = (patch, format!("{provider} {}", version(&plan, request)));
            apply(plugin, change, &mut objects)?;
        }
        against::check(&provider, request, &objects)?;
        Ok(Self { plan, objects, kept })
    }

    /// The objects, if they are those of this plan.
    pub(crate) fn objects_of(&self, plan: &ClusterctlTemplate) -> Option<Vec<Value>> {
        (self.plan == *plan).then(|| self.objects.clone())
    }

    /// The output of clusterctl for a run to keep, if it can be kept.
    pub(crate) fn kept(&self) -> Option<&KeptTemplate> {
        self.kept.as_ref()
    }
}

/// Runs clusterctl.
async fn print(
    clusterctl: &Clusterctl<'_>,
    plan: &ClusterctlTemplate,
    request: &BlueprintRequest,
) -> Result<Vec<Value>, TemplateError> {
    let tool = clusterctl.toolbox.find(KnownTool::Clusterctl).await?;
    let command = command(plan, request, clusterctl.config);
    let output = tool.run(&command.keep_stdout(), clusterctl.toolbox).await?;
    let printed = yaml::documents(&output.stdout)
        .map_err(|source| TemplateError::NotYaml { provider: plan.provider.clone(), source })?;
    Ok(printed.into_iter().map(without_nulls).collect())
}

/// The version of the provider: the user's, who has the same one installed, over the plugin's.
fn version<'a>(plan: &'a ClusterctlTemplate, request: &'a BlueprintRequest) -> &'a str {
    let mut given = request.infrastructure_versions.iter();
    let given = given.find(|(name, _)| *name == plan.provider);
    given.map_or(&plan.version, |(_, version)| version)
}

/// The kubeconfig is none: else clusterctl would look for ClusterClasses in a cluster of the
/// user's, and leave out those that it finds there.
pub(super) fn command(
    plan: &ClusterctlTemplate,
    request: &BlueprintRequest,
    config: Option<&Path>,
) -> ToolCommand {
    let provider = format!("{}:{}", plan.provider, version(plan, request));
    let mut command = ToolCommand::new(["generate", "cluster", &request.name])
        .flag("--infrastructure", provider)
        .flag("--target-namespace", &request.namespace)
        .env("KUBECONFIG", "/dev/null");
    if !plan.flavour.is_empty() {
        command = command.flag("--flavor", &plan.flavour);
    }
    if let Some(config) = config {
        command = command.flag("--config", config);
    }
    for (name, value) in &plan.variables {
        command = command.env(name, value.clone());
    }
    command
}

fn apply(
    plugin: &str,
    (patch, provider): (&TemplatePatch, String),
    objects: &mut [Value],
) -> Result<(), TemplateError> {
    let mut is_used = false;
    for object in objects.iter_mut().filter(|object| patch.is_for(object)) {
        patch.apply(object);
        is_used = true;
    }
    if is_used {
        return Ok(());
    }
    let kind = format!("{} {}", patch.kind, patch.version).trim_end().to_owned();
    Err(TemplateError::NothingToChange { plugin: plugin.to_owned(), kind, provider })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn values_are_no_arguments_and_the_version_of_the_user_wins() {
        let plan = ClusterctlTemplate {
            provider: "potato".to_owned(),
            version: "v1.0.0".to_owned(),
            flavour: "mash".to_owned(),
            variables: BTreeMap::from([("POTATO_TOKEN".to_owned(), "s3cret".to_owned())]),
            ..ClusterctlTemplate::default()
        };
        let mut request = BlueprintRequest {
            name: "pivot".to_owned(),
            namespace: "default".to_owned(),
            ..BlueprintRequest::default()
        };
        let line = |request: &BlueprintRequest| command(&plan, request, None).line("clusterctl");
        assert_eq!(
            line(&request),
            "clusterctl generate cluster pivot --infrastructure potato:v1.0.0 --target-namespace \
             default \
             --flavor mash"
        );
        request.infrastructure_versions = vec![("potato".to_owned(), "v1.1.0".to_owned())];
        assert!(line(&request).contains("potato:v1.1.0"), "{}", line(&request));
    }
}
