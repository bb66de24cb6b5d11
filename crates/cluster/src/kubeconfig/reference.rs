//! Finding the kubeconfig the way kubectl does.

use std::env;
use std::path::{Path, PathBuf};

use kube::config::Config;
use support::visible;

use super::config::config_of;
use super::merged::Merged;
use crate::credentials;

/// A kubeconfig and a context of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KubeconfigRef {
    /// File; without one, `$KUBECONFIG` (a list of files), then `~/.kube/config`, then the service
    /// account of the pod this runs in.
    pub path: Option<PathBuf>,
    /// Context; without one, the current context.
    pub context: Option<String>,
}

/// The reason why a cluster could not be connected to from a kubeconfig.
#[derive(Debug, thiserror::Error)]
pub enum KubeconfigProblem {
    /// No kubeconfig was given or found.
    #[error("no kubeconfig found: {looked}, and this program does not run in a pod")]
    NotFound {
        /// The place where it was looked for.
        looked: String,
    },
    /// A kubeconfig is there and says something that no request can be made from.
    #[error("cannot use the kubeconfig {origin}: {problem}")]
    Wrong {
        /// The file or files.
        origin: String,
        /// The problem, and the form that would be right.
        problem: String,
    },
}

impl KubeconfigRef {
    /// A file and its current context.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { path: Some(path.into()), context: None }
    }

    /// Returns the flags of kubectl for the same cluster, with a space behind each.
    pub fn flags(&self) -> String {
        let path = self.path.as_ref().map(|path| path.display().to_string());
        let flag = |name, value: &str| format!("--{name} {} ", visible::shell_word(value));
        let path = path.map(|path| flag("kubeconfig", &path));
        let context = self.context.as_deref().map(|context| flag("context", context));
        path.into_iter().chain(context).collect()
    }

    /// Returns the names of all contexts; none if the kubeconfig cannot be read.
    pub fn contexts(&self) -> Vec<String> {
        let merged = Merged::read(&self.files().1).unwrap_or_default();
        merged.contexts().map(str::to_owned).collect()
    }

    /// Reads the kubeconfig.
    ///
    /// # Errors
    /// When there is none, it cannot be parsed, or the context is not in it.
    pub fn load(&self) -> Result<Config, KubeconfigProblem> {
        let (origin, files) = self.files();
        let wrong = |origin: String, problem: &str| KubeconfigProblem::Wrong {
            origin,
            problem: visible::one_line(problem),
        };
        if files.is_empty()
            && self.context.is_none()
            && let Ok(mut config) = Config::incluster()
        {
            let origin = "of the service account".to_owned();
            credentials::read_token_file(&mut config).map_err(|problem| wrong(origin, &problem))?;
            return Ok(config);
        }
        if files.is_empty() {
            return Err(KubeconfigProblem::NotFound { looked: origin });
        }
        Merged::read(&files)
            .and_then(|merged| config_of(&merged.choose(self.context.as_deref())?))
            .map_err(|problem| wrong(origin, &problem))
    }

    /// Returns where the kubeconfig comes from, for messages, and the files to read. Files of
    /// `$KUBECONFIG` that do not exist are passed over, as kubectl does; an explicit file is not.
    fn files(&self) -> (String, Vec<PathBuf>) {
        if let Some(path) = self.path.as_ref().filter(|path| !path.as_os_str().is_empty()) {
            return (path.display().to_string(), vec![path.clone()]);
        }
        if let Some(list) = env::var_os("KUBECONFIG").filter(|list| !list.is_empty()) {
            let files = env::split_paths(&list).filter(|file| file.exists()).collect();
            return (format!("$KUBECONFIG ({})", Path::new(&list).display()), files);
        }
        let default = env::home_dir().map(|home| home.join(".kube").join("config"));
        let origin = default.as_ref().map_or_else(
            || "no home directory".to_owned(),
            |file| format!("{} does not exist, $KUBECONFIG is not set", file.display()),
        );
        (origin, default.into_iter().filter(|file| file.exists()).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn load(server: &str, token: &str) -> Result<Config, KubeconfigProblem> {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        write!(
            file,
            "{{apiVersion: v1, kind: Config, current-context: c,\n\
             clusters: [{{name: c, cluster: {{server: {server}}}}}],\n\
             users: [{{name: u, user: {{token: {token}}}}}],\n\
             contexts: [{{name: c, context: {{cluster: c, user: u}}}}]}}"
        )
        .expect("written");
        KubeconfigRef::file(file.path()).load()
    }

    #[test]
    fn a_server_or_token_that_no_request_can_have_is_an_error_that_names_the_file() {
        assert!(load("\"https://127.0.0.1:6443\"", "\"not-for-others\"").is_ok());
        for (server, token, says) in [
            ("\"/api\"", "\"not-for-others\"", "is not a URL"),
            ("\"https://127.0.0.1:6443\"", "\"not-for-others\\n\"", "line break"),
        ] {
            let error = load(server, token).expect_err(server).to_string();
            assert!(error.contains(says) && error.contains("kubeconfig /"), "{error}");
            assert!(!error.contains("not-for-others"), "a token is a secret: {error}");
        }
    }

    #[test]
    fn empty_values_are_read_as_absent() {
        let folder = tempfile::tempdir().expect("a folder");
        let (first, second) = (folder.path().join("first"), folder.path().join("second"));
        std::fs::write(&first, "{current-context: '', users: [{name: u, user: {tokenFile: ''}}]}")
            .expect("written");
        let text = "{current-context: c, clusters: [{name: c, cluster: {server: 'https://a'}}],
            users: [{name: u, user: {token: abc}}],
            contexts: [{name: c, context: {cluster: c, user: u}}]}";
        std::fs::write(&second, text).expect("written");
        let merged = Merged::read(&[first, second]).expect("kubeconfigs");
        let config = config_of(&merged.choose(Some("")).expect("a context")).expect("usable");
        assert_eq!(config.cluster_url.host(), Some("a"), "the second file's current context");
        assert!(config.auth_info.token.is_none(), "the first file's user counts, whole");
    }

    #[test]
    fn problems_of_a_kubeconfig_are_shown_without_its_lines() {
        for broken in [
            "users: [{name: u, user: {token: [CANARY]}}]\n",
            "users: [{name: u, user: CANARY}]\n",
            "token: CANARY\n  a: [\n",
        ] {
            let file = tempfile::NamedTempFile::new().expect("a temporary file");
            std::fs::write(file.path(), broken).expect("written");
            let error = KubeconfigRef::file(file.path()).load().expect_err(broken);
            let error = support::causes::in_one_line(&error);
            assert!(!error.contains("CANARY") && error.contains("line "), "{error}");
        }
    }
}
