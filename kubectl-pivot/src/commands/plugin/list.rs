//! `plugin list`: every plugin that was found, from outside.

use std::path::{Path, PathBuf};

use kubectl_pivot_plugin_api::protocol::Compatibility;
use kubectl_pivot_plugin_api::{ABI_LEVEL, PROTOCOL};
use plugin_host::{Found, Lock, PartialPath, Registry, SearchPath, Sidecar, Trust, user_folder};
use serde::Serialize;
use support::causes::in_one_line;
use support::visible::shell_word;

use crate::commands::CommandError;

/// All plugins that were found.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PluginList {
    /// Version of this document's schema.
    pub api_version: &'static str,
    /// `PluginList`.
    pub kind: &'static str,
    /// In the order of the search path.
    pub plugins: Vec<PluginSummary>,
}

/// One plugin, as its files describe it. What is not known is absent.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PluginSummary {
    /// Name, by the description or else the file.
    pub name: String,
    /// `infrastructure` or `cni`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Version of the plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `library` or `program`.
    pub form: &'static str,
    /// Level of the binary interface; a program has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abi_level: Option<u32>,
    /// Version of the messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Maturity of the plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maturity: Option<String>,
    /// One sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Reason why the folder is in the search path.
    pub origin: &'static str,
    /// The trust in the plugin's bytes.
    pub trust: TrustWord,
    /// The library or the program.
    pub path: PathBuf,
    /// Problems that prevent its use, one sentence fragment each.
    pub problems: Vec<String>,
    /// The fix for the first problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// The trust in a plugin, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TrustWord {
    /// The bytes are those that were trusted.
    Trusted,
    /// Other bytes were trusted under its name.
    Changed,
    /// It was never trusted.
    Untrusted,
    /// It must not be opened.
    Broken,
}

impl TrustWord {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::Changed => "changed",
            Self::Untrusted => "untrusted",
            Self::Broken => "broken",
        }
    }
}

/// Describes every plugin in the folders of `--plugin-dir` and the usual ones. Loads none.
///
/// # Errors
/// When the search path or a lock file is unusable.
pub fn plugin_list(places: &PluginPlaces) -> Result<PluginList, CommandError> {
    let registry = plugin_registry(places)?;
    let plugins = registry.all().iter().map(|found| summary(found, &registry)).collect();
    Ok(PluginList { api_version: "kubectl-pivot.io/v1alpha1", kind: "PluginList", plugins })
}

/// Folders of plugins, and the list of those that are trusted.
#[derive(Clone, Debug, Default)]
pub struct PluginPlaces {
    /// Folders that come before the usual ones.
    pub folders: Vec<PathBuf>,
    /// The list of trusted plugins in the place of the user's.
    pub lock: Option<PathBuf>,
}

/// The plugins in the folders of `--plugin-dir` and the usual ones.
///
/// # Errors
/// When the search path or a lock file is unusable.
pub fn plugin_registry(places: &PluginPlaces) -> Result<Registry, CommandError> {
    SearchPath::of_process(&places.folders)?;
    Ok(plugin_registry_in_part(places)?.with_locks_in_order()?)
}

/// As [`plugin_registry`], but what a damaged lock file trusts is not trusted: for commands that
/// do without plugins.
///
/// # Errors
/// When a folder of `--plugin-dir` is not there.
pub fn plugin_registry_in_part(places: &PluginPlaces) -> Result<Registry, CommandError> {
    let PartialPath { search, left_out } = SearchPath::of_process_in_part(&places.folders)?;
    let registry = match places.lock.as_deref().map(Lock::read_file) {
        None => Registry::scan(&search, user_folder().as_deref()),
        Some(Ok(lock)) => Registry::scan_with(&search, &lock),
        Some(Err(error)) => Registry::scan_without(&search, error),
    };
    Ok(registry.without(left_out))
}

pub(super) fn summary(found: &Found, registry: &Registry) -> PluginSummary {
    let mut problems = Problems::default();
    let trust = problems.of_trust(found);
    problems.of_description(found);
    if let Err(error) = registry.select(&found.name()) {
        problems.add(error.to_string(), error.hint());
    }
    let described = found.sidecar.as_ref().ok();
    let text = |text: &str| text.to_owned();
    PluginSummary {
        name: found.name(),
        kind: described.map(|sidecar| text(sidecar.info.kind.as_str())),
        version: described.map(|sidecar| sidecar.info.version.clone()),
        form: found.form().as_str(),
        abi_level: described.and_then(|sidecar| sidecar.abi_level),
        protocol: described.map(|sidecar| sidecar.info.protocol.to_string()),
        maturity: described.map(|sidecar| text(sidecar.info.maturity.as_str())),
        description: described.map(|sidecar| sidecar.info.description.clone()),
        origin: found.origin.as_str(),
        trust,
        path: found.path.clone(),
        problems: problems.texts,
        hint: problems.hint,
    }
}

/// Problems of a plugin, with the first hint.
#[derive(Default)]
struct Problems {
    texts: Vec<String>,
    hint: Option<String>,
}

impl Problems {
    fn add(&mut self, text: String, hint: String) {
        self.texts.push(text);
        self.hint.get_or_insert(hint);
    }

    fn of_trust(&mut self, found: &Found) -> TrustWord {
        let by_name = format!(
            "if you trust its origin, run `kubectl pivot plugin trust {}`",
            shell_word(&found.name())
        );
        match &found.trust {
            Trust::Trusted(_) => TrustWord::Trusted,
            Trust::Changed { file, trusted } => {
                let text = format!("its sha256 is {}, and {trusted} was trusted", file.hash);
                self.add(text, by_name);
                TrustWord::Changed
            }
            Trust::Unknown(_) => {
                self.add("it was never trusted".to_owned(), by_name);
                TrustWord::Untrusted
            }
            Trust::Broken(error) => {
                self.add(in_one_line(error), error.hint().into_owned());
                TrustWord::Broken
            }
        }
    }

    fn of_description(&mut self, found: &Found) {
        let newer = "get a version of the plugin for this version of kubectl-pivot".to_owned();
        match &found.sidecar {
            // Trusting it describes it.
            Err(_) if !matches!(found.trust, Trust::Trusted(_)) => {}
            Err(error) => self.add(
                in_one_line(error),
                format!("run `kubectl pivot plugin install {}`", shell_word(&shown(&found.path))),
            ),
            Ok(Sidecar { abi_level: Some(level), .. }) if *level != ABI_LEVEL => {
                self.add(format!("it has ABI level {level}, this program has {ABI_LEVEL}"), newer);
            }
            Ok(sidecar) if sidecar.info.compatibility(PROTOCOL) == Compatibility::Refused => {
                let protocol = sidecar.info.protocol;
                let required = sidecar.info.requires_host.map(|host| format!(", requires {host}"));
                let required = required.unwrap_or_default();
                self.add(
                    format!(
                        "it speaks protocol {protocol}{required}, this program speaks {PROTOCOL}"
                    ),
                    newer,
                );
            }
            Ok(_) => {}
        }
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
