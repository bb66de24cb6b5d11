//! Plugins for people.

use std::fmt::Write as _;
use std::path::Path;

use kubectl_pivot_plugin_api::{
    Capabilities, CniChoice, Credential, MovedKind, ProvidersToInit, Tool, Variable,
};
use owo_colors::OwoColorize;
use serde_json::Value;
use support::visible::{one_line, shell_word};

use super::Screen;
use super::kubectl_table::align;
use crate::called;
use crate::commands::{
    ChangedPlugin, Language, NewPlugin, PluginCheck, PluginDetails, PluginList, PluginProbe,
    PluginSummary, TrustWord,
};

/// Stands for an unknown value.
const UNKNOWN: &str = "-";

/// Returns the list of plugins, and why some cannot be used.
pub fn plugins(list: &PluginList, screen: &Screen) -> String {
    if list.plugins.is_empty() {
        return format!(
            "No plugins found\n\nInstall one: {} plugin install FILE\n",
            called::words()
        );
    }
    let header = ["NAME", "KIND", "VERSION", "API", "MATURITY", "ORIGIN", "TRUST"];
    let mut lines = vec![header.map(str::to_owned).to_vec()];
    lines.extend(list.plugins.iter().map(|plugin| {
        vec![
            plugin.name.clone(),
            known(plugin.kind.as_deref()),
            known(plugin.version.as_deref()),
            api(plugin),
            known(plugin.maturity.as_deref()),
            plugin.origin.to_owned(),
            plugin.trust.as_str().to_owned(),
        ]
    }));
    let mut text = align(&lines);
    for plugin in &list.plugins {
        problems(&mut text, plugin, screen);
    }
    called::in_text(&text)
}

/// Returns one plugin with everything that is known of it.
pub fn plugin(details: &PluginDetails, screen: &Screen) -> String {
    let plugin = &details.plugin;
    let line = |title: &str, value: String| vec![format!("{title}:"), value];
    let mut lines = vec![
        line("Name", plugin.name.clone()),
        line("Description", known(plugin.description.as_deref())),
        line("Kind", known(plugin.kind.as_deref())),
        line("Version", known(plugin.version.as_deref())),
        line("API", api(plugin)),
        line("Maturity", known(plugin.maturity.as_deref())),
        line("Origin", plugin.origin.to_owned()),
        line("Trust", plugin.trust.as_str().to_owned()),
        line("File", plugin.path.display().to_string()),
    ];
    if !details.home_page.is_empty() {
        lines.push(line("Home page", details.home_page.clone()));
    }
    if let Some(limits) = &details.capabilities {
        lines.push(line("Limits", self::limits(limits)));
    }
    if let Some(providers) = &details.providers {
        lines.push(line("Providers", self::providers(providers)));
    }
    if let Some(network) = &details.network {
        lines.push(line("Network", self::network(network)));
    }
    let mut text = align(&lines);
    problems(&mut text, plugin, screen);
    needs(&mut text, &details.tools, &details.credentials);
    probes(&mut text, &details.probes);
    moved_kinds(&mut text, &details.moved_kinds);
    match &details.variables {
        Some(variables) => self::variables(&mut text, variables),
        None => text.push_str("\nIts variables are shown once it is trusted.\n"),
    }
    text
}

/// Returns the result of a check.
pub fn plugin_check(check: &PluginCheck, screen: &Screen) -> String {
    let mut text = String::new();
    let (name, version) = (one_line(&check.name), one_line(&check.version));
    let protocol = one_line(&check.protocol.to_string());
    if check.holds() {
        let sign = "✔".green();
        let _ = writeln!(text, "{sign} plugin {name} {version} conforms to protocol {protocol}");
        let file = check.file.display();
        let file = shell_word(&file.to_string());
        let _ = writeln!(text, "\nInstall it: {} plugin install {file}", called::words());
        return text;
    }
    let sign = "✘".red();
    let _ =
        writeln!(text, "{sign} plugin {name} {version} does not conform to protocol {protocol}");
    for finding in &check.findings {
        text.push_str(&screen.line("    ", &one_line(&finding.to_string())));
    }
    text
}

/// Plugins that were just installed, in a folder that the user has named or in theirs, with what to
/// type next.
pub fn installed(plugins: &[ChangedPlugin], to: Option<&Path>) -> String {
    let mut text = String::new();
    for ChangedPlugin { name, version, path } in plugins {
        let line = format!("plugin {name} {version} installed: {}", path.display());
        let _ = writeln!(text, "{}", one_line(&line));
    }
    let [first, ..] = plugins else { return text };
    let (words, name) = (called::words(), shell_word(&first.name));
    let Some(folder) = to else {
        let _ = writeln!(text, "\nWhat it can do: {words} plugin info {name}");
        return text;
    };
    let folder = shell_word(&folder.display().to_string());
    let _ = writeln!(
        text,
        "\nThis folder is trusted as `plugins/` beside the program. To use it anywhere else:\n\
         {words} plugin trust {name} --plugin-dir {folder}\n\
         {words} plugin info {name} --plugin-dir {folder}"
    );
    text
}

/// A plugin that was just trusted, with what to type next.
pub fn trusted(plugin: &ChangedPlugin) -> String {
    let ChangedPlugin { name, version, path } = plugin;
    format!(
        "plugin {} {} trusted: {}\n\nWhat it can do: {} plugin info {}\n",
        one_line(name),
        one_line(version),
        one_line(&path.display().to_string()),
        called::words(),
        shell_word(name)
    )
}

/// A crate or a module that was just written, with what to type next.
pub fn new_plugin(new: &NewPlugin) -> String {
    let folder = new.folder.display();
    let mut text = format!("plugin {} written to {folder}:\n", new.name);
    let (api, own): (Vec<_>, Vec<_>) =
        new.files.iter().partition(|file| file.starts_with("kubectl-pivot-api/"));
    for file in own {
        let _ = writeln!(text, "  {file}");
    }
    if !api.is_empty() {
        let _ = writeln!(text, "  kubectl-pivot-api/ (the plugin API, {} files)", api.len());
    }
    let build = match new.language {
        Language::Rust => "cargo test",
        Language::Go => "go build",
    };
    let _ = writeln!(text, "\nTry it: cd {folder} && {build}");
    text
}

fn problems(text: &mut String, plugin: &PluginSummary, screen: &Screen) {
    if plugin.problems.is_empty() {
        return;
    }
    let name = one_line(&plugin.name);
    let name = match plugin.trust {
        TrustWord::Broken => name.red().to_string(),
        _ => name.yellow().to_string(),
    };
    let _ = writeln!(text, "\n{name} ({}):", one_line(&plugin.path.display().to_string()));
    for problem in &plugin.problems {
        text.push_str(&screen.line("  ", &one_line(problem)));
    }
    if let Some(hint) = &plugin.hint {
        text.push_str(&screen.line(&format!("  {} ", "hint:".cyan()), &one_line(hint)));
    }
}

fn needs(text: &mut String, tools: &[Tool], credentials: &[Credential]) {
    for Tool { name, check, purpose, .. } in tools {
        let words = one_line(&[std::slice::from_ref(name), check].concat().join(" "));
        let purpose = one_line(purpose);
        let _ = writeln!(text, "\nNeeds `{words}` to work, to {purpose}.");
    }
    if credentials.is_empty() {
        return;
    }
    text.push_str("\nCredentials, from the environment:\n");
    let line = |credential: &Credential| {
        let required = if credential.required { "required" } else { "" };
        vec![credential.env.clone(), required.to_owned(), credential.description.clone()]
    };
    text.push_str(&align(&credentials.iter().map(line).collect::<Vec<_>>()));
}

fn network(choice: &CniChoice) -> String {
    match choice {
        CniChoice::Plugin { name, .. } => format!("plugin {name}"),
        CniChoice::Plan { .. } => "its own".to_owned(),
        CniChoice::NotNeeded => "none is needed".to_owned(),
        _ => UNKNOWN.to_owned(),
    }
}

fn probes(text: &mut String, probes: &[PluginProbe]) {
    if probes.is_empty() {
        return;
    }
    text.push_str("\nReadiness probes, for --skip-probes NAME:\n");
    let line = |probe: &PluginProbe| vec![probe.name.clone(), probe.waiting.clone()];
    text.push_str(&align(&probes.iter().map(line).collect::<Vec<_>>()));
}

fn limits(limits: &Capabilities) -> String {
    let range = |of: &str, range: &kubectl_pivot_plugin_api::VersionRange| {
        (!range.is_open()).then(|| format!("{of} {range}"))
    };
    let hosts = limits.workload_only.then(|| "hosts no management cluster".to_owned());
    let versions =
        [range("Kubernetes", &limits.kubernetes), range("Cluster API", &limits.cluster_api)];
    hosts.into_iter().chain(versions.into_iter().flatten()).collect::<Vec<_>>().join("; ")
}

fn moved_kinds(text: &mut String, kinds: &[MovedKind]) {
    if kinds.is_empty() {
        return;
    }
    text.push_str("\nKinds that a move treats in a way of their own:\n");
    let line = |kind: &MovedKind| vec![format!("{}.{}", kind.kind, kind.group), facts(kind)];
    text.push_str(&align(&kinds.iter().map(line).collect::<Vec<_>>()));
}

fn facts(kind: &MovedKind) -> String {
    let pause = kind.pause.iter().map(|pause| format!("paused by {}", pause.name));
    let status = kind.carries_status.then(|| "with its status".to_owned());
    let companions =
        kind.companions.iter().map(|it| format!("with the {} of {}", it.kind, it.name_field));
    let rest = kind.at_rest.iter().map(|rest| format!("refused while {}", rest.problem));
    pause.chain(status).chain(companions).chain(rest).collect::<Vec<_>>().join("; ")
}

fn variables(text: &mut String, variables: &[Variable]) {
    if variables.is_empty() {
        return;
    }
    text.push_str("\nVariables, for --set NAME=VALUE:\n");
    let header = ["NAME", "TYPE", "DEFAULT", "ENVIRONMENT", "DESCRIPTION"];
    let mut lines = vec![header.map(str::to_owned).to_vec()];
    lines.extend(variables.iter().map(|variable| {
        let kind = match variable.choices.is_empty() {
            true => variable.kind.as_str().to_owned(),
            false => variable.choices.join("|"),
        };
        let default = match &variable.default {
            None if variable.required && variable.secret => "required, secret".to_owned(),
            None if variable.required => "required".to_owned(),
            None if variable.secret => "secret".to_owned(),
            None => UNKNOWN.to_owned(),
            Some(value) => shown(value),
        };
        let env = known(variable.env.as_deref());
        vec![variable.name.clone(), kind, default, env, variable.description.clone()]
    }));
    text.push_str(&align(&lines));
}

/// A value as one would type it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn providers(providers: &ProvidersToInit) -> String {
    let ProvidersToInit { core, bootstrap, control_plane, infrastructure, addon, .. } = providers;
    let groups = [
        ("core", core.iter().cloned().collect()),
        ("bootstrap", bootstrap.clone()),
        ("control-plane", control_plane.clone()),
        ("infrastructure", infrastructure.clone()),
        ("addon", addon.clone()),
    ];
    let named = groups.into_iter().flat_map(|(kind, names): (_, Vec<String>)| {
        names.into_iter().map(move |name| format!("{kind} {name}"))
    });
    named.collect::<Vec<_>>().join(", ")
}

/// Protocol and, in parentheses, the level of the binary interface; a program has none.
fn api(plugin: &PluginSummary) -> String {
    match (&plugin.protocol, plugin.abi_level) {
        (Some(protocol), Some(level)) => format!("{protocol} (ABI {level})"),
        (Some(protocol), None) if plugin.form == "program" => format!("{protocol} (program)"),
        _ => UNKNOWN.to_owned(),
    }
}

fn known(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty()).unwrap_or(UNKNOWN).to_owned()
}
