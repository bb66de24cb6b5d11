//! Plugins by the provider of Cluster API that they stand for.

use std::collections::BTreeSet;

use kubectl_pivot_plugin_api::{PluginInfo, PluginKind};

use super::call::Plugin;
use super::found::{Found, Trust};
use super::registry::{LoadError, Registry};

impl Registry {
    /// The infrastructure plugins of a provider, for example `docker`; there may be several. Each
    /// is loaded, or there is its name and why it cannot be.
    pub fn load_for_provider(&self, provider: &str) -> Vec<Result<Plugin, (String, LoadError)>> {
        let candidates = self.all().iter().filter(|found| may_stand_for(found, provider));
        let names: BTreeSet<String> = candidates.map(Found::name).collect();
        let load = |name: String| match self.load(&name) {
            // The description beside the library is a claim; what counts is what the plugin says.
            Ok(plugin) if !stands_for(plugin.info(), provider) => None,
            Ok(plugin) => Some(Ok(plugin)),
            Err(error) => Some(Err((name, error))),
        };
        names.into_iter().filter_map(load).collect()
    }
}

fn may_stand_for(found: &Found, provider: &str) -> bool {
    match (&found.sidecar, &found.trust) {
        (Ok(sidecar), _) => stands_for(&sidecar.info, provider),
        // Without a description only the plugin itself can tell, and it may be asked if it is
        // trusted.
        (Err(_), Trust::Trusted(_)) => true,
        (Err(_), _) => found.name() == provider,
    }
}

fn stands_for(info: &PluginInfo, provider: &str) -> bool {
    info.kind == PluginKind::Infrastructure && info.provider == provider
}
