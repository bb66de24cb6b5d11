//! The files of a new plugin in Go.

use kubectl_pivot_plugin_api::PluginKind;

use super::api_sources::{self, FOLDER};
use super::template::{Api, File, REPOSITORY, camel, try_it};

/// The module that plugins in Go depend on; it is in the folder `go` of the plugin API.
const MODULE: &str = "github.com/kubectl-pivot/kubectl-pivot/plugin-api/go";

/// All files of a plugin `name`.
pub(super) fn files(name: &str, kind: PluginKind, api: Api<'_>) -> Vec<File> {
    let (api, embedded) = match api {
        Api::Path(path) => (dependency(&path.join("go").display().to_string()), Vec::new()),
        Api::Embedded => (dependency(&format!("./{FOLDER}/plugin-api/go")), api_sources::of_go()),
    };
    let fill = |text: &str| {
        let values = [
            ("{{name}}", name),
            ("{{Kind}}", &camel(name)),
            ("{{kind}}", kind.as_str()),
            ("{{api}}", &api),
            ("{{program}}", &format!("kubectl-pivot-plugin-{name}")),
            ("{{repository}}", REPOSITORY),
            ("{{try}}", &try_it(name, kind)),
        ];
        values.iter().fold(text.to_owned(), |text, (key, value)| text.replace(key, value))
    };
    let sources = match kind {
        PluginKind::Cni => vec![("main.go", include_str!("template/go/cni.go.in"))],
        _ => vec![
            ("main.go", include_str!("template/go/infrastructure.go.in")),
            ("render.go", include_str!("template/go/render.go.in")),
        ],
    };
    let others = [
        ("go.mod", include_str!("template/go/go.mod.in")),
        ("README.md", include_str!("template/go/README.md.in")),
        (".gitignore", include_str!("template/go/gitignore.in")),
    ];
    let file = |(file, text): (&str, &str)| (file.to_owned(), fill(text));
    others.into_iter().chain(sources).map(file).chain(embedded).collect()
}

/// The version says nothing, since the folder has none.
fn dependency(folder: &str) -> String {
    let folder = serde_json::Value::from(folder);
    format!("\nrequire {MODULE} v0.0.0\n\nreplace {MODULE} => {folder}\n")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn nothing_is_left_to_fill_in() {
        for kind in [PluginKind::Cni, PluginKind::Infrastructure] {
            for api in [Api::Embedded, Api::Path(Path::new("/a \"b\""))] {
                let own = |(path, _): &File| !path.starts_with(FOLDER);
                for (path, text) in files("le-potato", kind, api).into_iter().filter(own) {
                    assert!(
                        !text.contains("{{name") && !text.contains("{{Kind"),
                        "{path}:\n{text}"
                    );
                    assert!(!text.contains("{{api"), "{path}:\n{text}");
                }
            }
        }
    }
}
