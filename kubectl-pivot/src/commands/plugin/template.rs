//! The files of a new plugin.

use std::path::Path;

use kubectl_pivot_plugin_api::{ABI_LEVEL, Maturity, PROTOCOL, PluginInfo, PluginKind};
use plugin_host::Sidecar;

use super::api_sources::{self, FOLDER};

/// A file of the crate: its path there, and its content.
pub(super) type File = (String, String);

/// Source of the dependency on the plugin API.
#[derive(Clone, Copy, Debug)]
pub(super) enum Api<'a> {
    /// A folder.
    Path(&'a Path),
    /// The sources that this program has within, written beside the plugin.
    Embedded,
}

pub(super) const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// All files of a plugin `name`.
pub(super) fn files(name: &str, kind: PluginKind, api: Api<'_>) -> Vec<File> {
    let snake = name.replace('-', "_");
    let library = format!(
        "{}kubectl_pivot_plugin_{snake}{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    let sidecar = Sidecar::path_for(Path::new(&library)).display().to_string();
    let (path, embedded) = match api {
        Api::Path(path) => (path.display().to_string(), Vec::new()),
        Api::Embedded => (format!("{FOLDER}/plugin-api"), api_sources::of_rust()),
    };
    let api = format!("path = {}", toml_string(&path));
    let source = match kind {
        PluginKind::Cni => include_str!("template/cni.rs.in"),
        _ => include_str!("template/infrastructure.rs.in"),
    };
    let fill = |text: &str| {
        let values = [
            ("{{name}}", name),
            ("{{snake}}", &snake),
            ("{{Kind}}", &camel(name)),
            ("{{kind}}", kind.as_str()),
            ("{{api}}", &api),
            ("{{library}}", &library),
            ("{{sidecar}}", &sidecar),
            ("{{repository}}", REPOSITORY),
            ("{{try}}", &try_it(name, kind)),
        ];
        values.iter().fold(text.to_owned(), |text, (key, value)| text.replace(key, value))
    };
    let own = [
        ("Cargo.toml".to_owned(), fill(include_str!("template/Cargo.toml.in"))),
        ("README.md".to_owned(), fill(include_str!("template/README.md.in"))),
        (".gitignore".to_owned(), fill(include_str!("template/gitignore.in"))),
        ("src/lib.rs".to_owned(), fill(source)),
        ("tests/conformance.rs".to_owned(), fill(include_str!("template/conformance.rs.in"))),
        (sidecar.clone(), describe(name, kind)),
    ];
    own.into_iter().chain(embedded).collect()
}

/// The first command that uses the plugin.
pub(super) fn try_it(name: &str, kind: PluginKind) -> String {
    match kind {
        PluginKind::Cni => format!(
            "kubectl pivot render my-cluster --infrastructure docker --cni {name} --part cni"
        ),
        _ => format!("kubectl pivot render my-cluster --infrastructure {name}"),
    }
}

/// The description, as the plugin of the template says it.
fn describe(name: &str, kind: PluginKind) -> String {
    let info = PluginInfo {
        name: name.to_owned(),
        kind,
        version: "0.1.0".to_owned(),
        protocol: PROTOCOL,
        maturity: Maturity::Alpha,
        description: match kind {
            PluginKind::Cni => format!("The network {name}, from its Helm chart"),
            _ => format!("Clusters on {name}"),
        },
        provider: match kind {
            PluginKind::Cni => String::new(),
            _ => name.to_owned(),
        },
        ..PluginInfo::default()
    };
    let sidecar = serde_json::to_value(Sidecar::new(info, Some(ABI_LEVEL)));
    format!("{:#}\n", sidecar.expect("a description has string keys only"))
}

/// `le-potato` is `LePotato`.
pub(super) fn camel(name: &str) -> String {
    let word = |word: &str| {
        let mut chars = word.chars();
        chars.next().map_or_else(String::new, |first| {
            first.to_ascii_uppercase().to_string() + chars.as_str()
        })
    };
    name.split('-').map(word).collect()
}

/// A basic string of TOML; JSON escapes the same characters in the same way.
fn toml_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_to_fill_in() {
        for kind in [PluginKind::Cni, PluginKind::Infrastructure] {
            for (path, text) in files("le-potato", kind, Api::Path(Path::new("/a \"b\""))) {
                assert!(!text.contains("{{") && !text.contains("}}"), "{path}:\n{text}");
            }
        }
        assert_eq!(camel("le-potato-2"), "LePotato2");
        assert_eq!(toml_string("/a \"b\""), r#""/a \"b\"""#);
    }

    #[test]
    fn a_crate_with_its_own_sources_differs_in_the_path() {
        let folder = Path::new("/api");
        for kind in [PluginKind::Cni, PluginKind::Infrastructure] {
            let path = files("a", kind, Api::Path(folder));
            let embedded = files("a", kind, Api::Embedded);
            let own = format!("path = \"{FOLDER}/plugin-api\"");
            assert!(embedded[0].1.contains(&format!("kubectl-pivot-plugin-api = {{ {own} }}\n")));
            let alike = embedded.into_iter().take(path.len());
            let alike = alike.map(|(name, text)| (name, text.replace(&own, "path = \"/api\"")));
            assert_eq!(alike.collect::<Vec<_>>(), path);
        }
    }
}
