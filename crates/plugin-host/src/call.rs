//! Calling a plugin: typed requests out, typed answers in, every mistake explained.

use std::fmt;
use std::path::{Path, PathBuf};

use kubectl_pivot_plugin_api::protocol::{Compatibility, Host, method};
use kubectl_pivot_plugin_api::{
    Addons, AddonsRequest, BootstrapRequirements, ClusterRequest, CniChoice, CniInstall,
    CniRequest, ErrorCode, Manifests, MoveKnowledge, MoveRequest, PROTOCOL, PluginError,
    PluginInfo, PluginKind, Probe, ProbesRequest, ProvidersToInit, Reach, Variable, testing,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{CallError, PluginFileError};
use super::file::{Contents, PluginFile};
use super::form::Form;
use super::{load, program};

/// Method and request in, answer or encoded error out. Never unwinds.
pub type Invoke = dyn Fn(&str, &[u8]) -> Result<Vec<u8>, Vec<u8>> + Send + Sync;

/// A plugin that is loaded and has said who it is.
pub struct Plugin {
    path: PathBuf,
    info: PluginInfo,
    invoke: Box<Invoke>,
}

/// A plugin of the kind `infrastructure`.
#[derive(Clone, Copy, Debug)]
pub struct InfrastructurePlugin<'a>(&'a Plugin);

/// A plugin of the kind `cni`.
#[derive(Clone, Copy, Debug)]
pub struct CniPlugin<'a>(&'a Plugin);

impl Plugin {
    /// Opens a plugin, which runs its code: the caller has decided to trust its hash.
    ///
    /// # Errors
    /// The file has changed, is no plugin, or is none that this program can use.
    pub fn open(file: &PluginFile) -> Result<Self, PluginFileError> {
        Self::open_contents(&Contents::read_again(file)?)
    }

    /// Opens a plugin from memory.
    ///
    /// # Errors
    /// It is no plugin, or none that this program can use.
    pub(super) fn open_contents(contents: &Contents) -> Result<Self, PluginFileError> {
        let invoke = match contents.form {
            Form::Library => load::open(contents)?,
            Form::Program => program::open(contents),
        };
        Self::introduce(contents.file.path.clone(), invoke)
    }

    /// Asks for the identity behind `invoke`; `path` is for messages.
    ///
    /// # Errors
    /// It does not answer, or speaks another major version of the messages.
    pub fn introduce(path: PathBuf, invoke: Box<Invoke>) -> Result<Self, PluginFileError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let info = PluginInfo { name, ..PluginInfo::default() };
        let mut plugin = Self { path, info, invoke };
        plugin.info = plugin.call(method::INFO, &serde_json::json!({})).map_err(|source| {
            PluginFileError::Info { path: plugin.path.clone(), source: Box::new(source) }
        })?;
        let found = plugin.info.protocol;
        match plugin.info.compatibility(PROTOCOL) {
            Compatibility::Refused => {
                let (path, required) = (plugin.path, plugin.info.requires_host);
                return Err(match required.filter(|_| found.major == PROTOCOL.major) {
                    Some(required) => PluginFileError::Host { path, required },
                    None => PluginFileError::Protocol { path, found },
                });
            }
            Compatibility::PluginNewer => {
                tracing::info!(plugin = %plugin.info.name, "speaks the newer protocol {found}");
            }
            Compatibility::Full => {}
        }
        Ok(plugin)
    }

    /// The identity of the plugin.
    pub fn info(&self) -> &PluginInfo {
        &self.info
    }

    /// The file of the plugin.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The variables that users can set.
    ///
    /// # Errors
    /// The plugin gives no usable answer.
    pub fn variables(&self) -> Result<Vec<Variable>, CallError> {
        self.call(method::VARIABLES, &serde_json::json!({}))
    }

    /// Returns what is wrong with it, one sentence each, by the conformance kit of the plugin API.
    pub fn conformance(&self) -> Vec<String> {
        testing::check(&|method, request| (self.invoke)(method, request).map_err(|e| refusal(&e)))
    }

    /// The plugin as one of the kind `infrastructure`.
    ///
    /// # Errors
    /// It is of another kind.
    pub fn infrastructure(&self) -> Result<InfrastructurePlugin<'_>, CallError> {
        self.of_kind(PluginKind::Infrastructure).map(|()| InfrastructurePlugin(self))
    }

    /// The plugin as one of the kind `cni`.
    ///
    /// # Errors
    /// It is of another kind.
    pub fn cni(&self) -> Result<CniPlugin<'_>, CallError> {
        self.of_kind(PluginKind::Cni).map(|()| CniPlugin(self))
    }

    fn of_kind(&self, wanted: PluginKind) -> Result<(), CallError> {
        if self.info.kind == wanted {
            return Ok(());
        }
        Err(CallError::Kind {
            plugin: self.info.name.clone(),
            wanted: wanted.as_str(),
            found: self.info.kind.as_str(),
        })
    }

    fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        request: &impl Serialize,
    ) -> Result<T, CallError> {
        let unusable = |source| CallError::Answer {
            plugin: self.info.name.clone(),
            path: self.path.clone(),
            method: method.to_owned(),
            source,
        };
        let request = encode(request).map_err(unusable)?;
        let answer = (self.invoke)(method, &request).map_err(|error| CallError::Refused {
            plugin: self.info.name.clone(),
            method: method.to_owned(),
            source: Box::new(refusal(&error)),
        })?;
        serde_json::from_slice(&answer).map_err(unusable)
    }

    /// As [`Plugin::call`]; a plugin that is too old to know the method has nothing to say.
    fn ask<T: DeserializeOwned + Default>(
        &self,
        method: &str,
        request: &impl Serialize,
    ) -> Result<T, CallError> {
        match self.call(method, request) {
            Err(CallError::Refused { source, .. }) if source.code == ErrorCode::UnknownMethod => {
                Ok(T::default())
            }
            answer => answer,
        }
    }
}

impl InfrastructurePlugin<'_> {
    /// The providers that a management cluster needs.
    ///
    /// # Errors
    /// The plugin refuses or gives no usable answer; so for all methods here.
    pub fn providers(&self, cluster: &ClusterRequest) -> Result<ProvidersToInit, CallError> {
        self.0.call(method::PROVIDERS, cluster)
    }

    /// Returns what the bootstrap cluster must offer.
    ///
    /// # Errors
    /// See [`Self::providers`].
    pub fn bootstrap(&self, cluster: &ClusterRequest) -> Result<BootstrapRequirements, CallError> {
        self.0.ask(method::BOOTSTRAP, cluster)
    }

    /// The objects that make the cluster.
    ///
    /// # Errors
    /// See [`Self::providers`].
    pub fn render(&self, cluster: &ClusterRequest) -> Result<Manifests, CallError> {
        self.0.call(method::RENDER, cluster)
    }

    /// The network that suits this infrastructure; [`CniChoice::Unknown`] if it does not say.
    ///
    /// # Errors
    /// See [`Self::providers`].
    pub fn cni(&self, cluster: &ClusterRequest) -> Result<CniChoice, CallError> {
        self.0.ask(method::CNI, cluster)
    }

    /// Ways to the API server of the cluster, beside the address in its kubeconfig.
    ///
    /// # Errors
    /// See [`Self::providers`].
    pub fn reach(&self, cluster: &ClusterRequest) -> Result<Reach, CallError> {
        self.0.ask(method::REACH, cluster)
    }

    /// Returns what is installed after the network; nothing if it does not say.
    ///
    /// # Errors
    /// See [`Self::providers`].
    pub fn addons(&self, request: &AddonsRequest) -> Result<Addons, CallError> {
        self.0.ask(method::ADDONS, request)
    }

    /// Returns the kinds that are not moved like all others; none if it does not say.
    ///
    /// # Errors
    /// See [`Self::providers`].
    pub fn moving(&self, request: &MoveRequest) -> Result<MoveKnowledge, CallError> {
        self.0.ask(method::MOVE, request)
    }

    /// Returns what "ready" means.
    ///
    /// # Errors
    /// See [`Self::providers`].
    pub fn probes(&self, request: &ProbesRequest) -> Result<Vec<Probe>, CallError> {
        self.0.ask(method::PROBES, request)
    }
}

impl CniPlugin<'_> {
    /// Returns what to install.
    ///
    /// # Errors
    /// The plugin refuses or gives no usable answer.
    pub fn plan(&self, request: &CniRequest) -> Result<CniInstall, CallError> {
        self.0.call(method::PLAN, request)
    }

    /// Returns what "ready" means.
    ///
    /// # Errors
    /// The plugin refuses or gives no usable answer.
    pub fn probes(&self, request: &CniRequest) -> Result<Vec<Probe>, CallError> {
        self.0.ask(method::PROBES, request)
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin").field("path", &self.path).field("info", &self.info).finish()
    }
}

/// Encodes a request, and who asks: a plugin of a newer protocol can adapt to an older host.
fn encode(request: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut request = serde_json::to_value(request)?;
    if let Some(fields) = request.as_object_mut() {
        let host = Host { protocol: PROTOCOL, version: env!("CARGO_PKG_VERSION").to_owned() };
        fields.insert("host".to_owned(), serde_json::to_value(host)?);
    }
    serde_json::to_vec(&request)
}

fn refusal(error: &[u8]) -> PluginError {
    serde_json::from_slice(error).unwrap_or_else(|_| {
        PluginError::internal("it fails, and its error cannot be read")
            .with_hint("run `kubectl pivot plugin check FILE` and report the result to its author")
    })
}

#[cfg(test)]
#[path = "call_tests.rs"]
mod tests;
