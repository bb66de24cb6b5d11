//! Facts about a provider and its template.

use serde_json::Value;

use crate::addons::{Addon, AddonsRequest};
use crate::error::PluginResult;
use crate::probe::Probe;
use crate::template::TemplatePatch;
use crate::values::Values;

/// An infrastructure provider whose clusters come from its own template.
#[derive(Clone, Copy, Debug)]
pub struct Templated {
    /// Name of the plugin, and of the provider in `clusterctl`, for example `aws`.
    pub name: &'static str,
    /// Version of the plugin.
    pub version: &'static str,
    /// One sentence for `plugin list`.
    pub description: &'static str,
    /// The provider's documentation.
    pub home_page: &'static str,
    /// Version of the provider whose template the facts are about, for example `v2.13.0`.
    pub release: &'static str,
    /// Namespace and name of the Deployment of the provider's controllers.
    pub controller: (&'static str, &'static str),
    /// Kind of the cluster's infrastructure, for example `AWSCluster`.
    pub cluster_kind: &'static str,
    /// Kubernetes version of the machines if the user wants no other one.
    pub kubernetes_version: &'static str,
    /// The first Kubernetes version that the template works with, and the first that is too new;
    /// empty without a limit.
    pub kubernetes: (&'static str, &'static str),
    /// Variables of the template.
    pub variables: &'static [TemplateVariable],
    /// Credentials of the provider's controllers.
    pub credentials: &'static [TemplateVariable],
    /// Environment of `clusterctl init`, for example feature gates.
    pub init_environment: &'static [(&'static str, &'static str)],
    /// The CNI plugin whose traffic the provider's networks let through.
    pub cni: &'static str,
    /// Changes to the template's objects.
    pub patches: fn(&Values) -> PluginResult<Vec<TemplatePatch>>,
    /// Objects beside those of the template.
    pub objects: fn(&str, &Values) -> PluginResult<Vec<Value>>,
    /// Parts that are installed after the network, in order.
    pub addons: &'static [TemplateAddon],
    /// Probes besides those of the controllers and of the cluster's infrastructure.
    pub probes: fn() -> Vec<Probe>,
    /// Sentences for the user.
    pub notes: &'static [&'static str],
}

/// A variable of a provider's template, or a credential.
#[derive(Clone, Copy, Debug)]
pub struct TemplateVariable {
    /// Name in the template, for example `AWS_REGION`, which is also the environment variable from
    /// which it is taken.
    pub env: &'static str,
    /// True if nothing works without it.
    pub required: bool,
    /// True if its value must not be shown.
    pub secret: bool,
    /// Description.
    pub description: &'static str,
}

/// A part that is installed after the network.
#[derive(Clone, Copy, Debug)]
pub struct TemplateAddon {
    /// Lowercase words joined by hyphens.
    pub name: &'static str,
    /// Describes the installation.
    pub build: fn(&AddonsRequest, &Values) -> PluginResult<Addon>,
}

impl TemplateVariable {
    /// A variable that must be set.
    pub const fn required(env: &'static str, description: &'static str) -> Self {
        Self { env, required: true, secret: false, description }
    }

    /// A variable that may be set.
    pub const fn optional(env: &'static str, description: &'static str) -> Self {
        Self { env, required: false, secret: false, description }
    }

    /// Says that its value must not be shown.
    #[must_use]
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// The name by which users set it, for example `aws-region`.
    pub fn name(&self) -> String {
        self.env.to_lowercase().replace('_', "-")
    }
}

impl Templated {
    /// A provider of which only these facts are known; the rest has the usual values.
    pub const fn new(name: &'static str, release: &'static str) -> Self {
        Self {
            name,
            version: "",
            description: "",
            home_page: "",
            release,
            controller: ("", ""),
            cluster_kind: "",
            kubernetes_version: "v1.33.0",
            kubernetes: ("", ""),
            variables: &[],
            credentials: &[],
            init_environment: &[],
            cni: "cilium",
            patches: |_| Ok(Vec::new()),
            objects: |_, _| Ok(Vec::new()),
            addons: &[],
            probes: Vec::new,
            notes: &[],
        }
    }
}
