//! The sources of the plugin API, as this program was built with them.

use super::template::File;
use support::embedded;

/// Paths in this repository, and the lengths of the files.
const SOURCES: &[(&str, usize)] = include!(concat!(env!("OUT_DIR"), "/plugin_api.rs"));

/// The files, one behind the other.
const TEXTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/plugin_api.deflate"));

/// The folder beside a new plugin that has them.
pub(super) const FOLDER: &str = "kubectl-pivot-api";

/// The crates of the API, as a workspace of their own.
pub(super) fn of_rust() -> Vec<File> {
    files(|path| !path.starts_with("plugin-api/go/"))
}

/// The Go module.
pub(super) fn of_go() -> Vec<File> {
    files(|path| path.starts_with("plugin-api/go/") || path == "LICENSE")
}

fn files(is_wanted: impl Fn(&str) -> bool) -> Vec<File> {
    let (texts, mut begin) = (embedded::text(TEXTS), 0);
    let all = SOURCES.iter().map(|&(path, length)| {
        let text = &texts[begin..begin + length];
        begin += length;
        (path, text)
    });
    let wanted = all.filter(|(path, _)| is_wanted(path));
    wanted.map(|(path, text)| (format!("{FOLDER}/{path}"), adapted(path, text))).collect()
}

fn adapted(path: &str, text: &str) -> String {
    match path {
        "Cargo.toml" => workspace(text),
        // Tests and examples stay behind.
        "plugin-api/Cargo.toml" => text.split("[[test]]").next().unwrap_or_default().to_owned(),
        _ => text.to_owned(),
    }
}

/// The workspace of the two crates: versions and lints of the others, and none of its profiles.
fn workspace(text: &str) -> String {
    let is_other = |line: &&str| {
        line.starts_with("kubectl-pivot") && !line.contains("path = \"plugin-api")
            || line.contains("path = \"crates/")
    };
    let lines = text.lines().take_while(|line| !line.starts_with("[profile."));
    let lines = lines.filter(|line| !is_other(line)).map(|line| match line {
        members if members.starts_with("members = ") => {
            "members = [\"plugin-api\", \"plugin-api/abi\"]"
        }
        line => line,
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_are_those_of_two_crates_and_a_module() {
        let names = |files: Vec<File>| files.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        let rust = names(of_rust());
        for name in ["Cargo.toml", "plugin-api/src/lib.rs", "plugin-api/abi/src/lib.rs", "LICENSE"]
        {
            assert!(rust.contains(&format!("{FOLDER}/{name}")), "{name}");
        }
        assert!(!rust.iter().any(|name| name.contains("/go/") || name.contains("_tests")));
        assert!(names(of_go()).contains(&format!("{FOLDER}/plugin-api/go/go.mod")));
    }

    #[test]
    fn the_workspace_has_two_members() {
        let text = "[workspace]\nmembers = [\"a\"]\nkubectl-pivot-x = { path = \"crates/x\" }\n\
                    kubectl-pivot-plugin-api = { path = \"plugin-api\" }\n[profile.dev]\na = 1\n";
        assert_eq!(
            workspace(text),
            "[workspace]\nmembers = [\"plugin-api\", \"plugin-api/abi\"]\n\
             kubectl-pivot-plugin-api = { path = \"plugin-api\" }\n"
        );
    }
}
