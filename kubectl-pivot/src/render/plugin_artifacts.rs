//! Plugins of registries for people.

use std::fmt::Write as _;

use support::visible::one_line;

use super::kubectl_table::align;
use crate::called;
use crate::commands::{ChangedPlugin, OutdatedPlugins, PackagedPlugin, PluginOffer};

/// Stands for an unknown value.
const UNKNOWN: &str = "-";

/// A plugin before it is installed: all that is claimed and all that is proved of it.
pub fn offer(offer: &PluginOffer) -> String {
    let or_unknown = |text: &str| if text.is_empty() { UNKNOWN.to_owned() } else { one_line(text) };
    let line = |title: &str, value: String| vec![format!("{title}:"), value];
    let version = match &offer.installed {
        Some(installed) => format!("{} (installed: {installed})", offer.version),
        None => offer.version.clone(),
    };
    let publisher = match &offer.key {
        Some(key) => format!("{}, has to be signed by {key}", or_unknown(&offer.publisher)),
        None => format!("{}, which nothing proves", or_unknown(&offer.publisher)),
    };
    align(&[
        line("Plugin", one_line(&offer.name)),
        line("Version", one_line(&version)),
        line("Kind", format!("{}, a {}", or_unknown(&offer.kind), offer.form)),
        line("Description", or_unknown(&offer.description)),
        line("Publisher", one_line(&publisher)),
        line("Source", one_line(&offer.source)),
        line("Digest", one_line(&offer.digest)),
        line("sha256", format!("{} ({} bytes)", offer.sha256, offer.size)),
        line("Platforms", one_line(&offer.platforms.join(", "))),
    ])
}

/// An artifact that was made, with what to type next.
pub fn packaged(plugin: &PackagedPlugin) -> String {
    let PackagedPlugin { name, version, digest, .. } = plugin;
    let platforms = plugin.platforms.join(", ");
    let mut text = format!("plugin {name} {version} packaged for {platforms}: {digest}\n");
    if let Some(folder) = &plugin.folder {
        let _ = writeln!(text, "Folder: {}", one_line(&folder.display().to_string()));
    }
    if let Some(source) = &plugin.source {
        let _ = writeln!(text, "\nInstall it: {} plugin install {source}", called::words());
    }
    text
}

/// Newer versions of plugins that came from registries.
pub fn outdated(list: &OutdatedPlugins) -> String {
    if list.plugins.is_empty() {
        return "No plugin came from a registry\n".to_owned();
    }
    let header = ["NAME", "INSTALLED", "NEWEST", "SOURCE"];
    let mut lines = vec![header.map(str::to_owned).to_vec()];
    lines.extend(list.plugins.iter().map(|plugin| {
        let newest = match (&plugin.newest, &plugin.problem) {
            (Some(newest), _) => one_line(newest),
            (None, Some(_)) => UNKNOWN.to_owned(),
            (None, None) => plugin.installed.clone(),
        };
        let (name, installed) = (one_line(&plugin.name), one_line(&plugin.installed));
        vec![name, installed, newest, one_line(&plugin.source)]
    }));
    let mut text = align(&lines);
    for plugin in &list.plugins {
        if let Some(problem) = &plugin.problem {
            let _ = writeln!(text, "\n{}: {}", one_line(&plugin.name), one_line(problem));
        }
    }
    if list.plugins.iter().any(|plugin| plugin.newest.is_some()) {
        let _ = writeln!(text, "\nInstall them: {} plugin upgrade", called::words());
    }
    text
}

/// Plugins that were upgraded.
pub fn upgraded(plugins: &[ChangedPlugin]) -> String {
    if plugins.is_empty() {
        return "Nothing was upgraded\n".to_owned();
    }
    let mut text = String::new();
    for ChangedPlugin { name, version, path } in plugins {
        let line = format!("plugin {name} upgraded to {version}: {}", path.display());
        let _ = writeln!(text, "{}", one_line(&line));
    }
    text
}
