//! Finding the kubeconfig the way kubectl does.

use std::env;
use std::path::{Path, PathBuf};

use capi::valid;
use kube::config::{Config, KubeConfigOptions, Kubeconfig, KubeconfigError};
use secrecy::ExposeSecret as _;
use support::visible;

use super::credentials;
use super::proxy::ProxyVariables;

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
    /// A kubeconfig is there but cannot be used.
    #[error("cannot use the kubeconfig {origin}")]
    Unusable {
        /// The file or files.
        origin: String,
        /// The problem.
        #[source]
        source: KubeconfigError,
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
        let files = self.files().1.into_iter();
        let read = files.filter_map(|file| Kubeconfig::read_from(file).ok());
        let mut names: Vec<String> =
            read.flat_map(|file| file.contexts).map(|context| context.name).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Reads the kubeconfig.
    ///
    /// # Errors
    /// When there is none, it cannot be parsed, or the context is not in it.
    pub async fn load(&self) -> Result<Config, KubeconfigProblem> {
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
        let unusable = |source| match source {
            KubeconfigError::Parse(error) => wrong(origin.clone(), &not_parsed(&error)),
            source => KubeconfigProblem::Unusable { origin: origin.clone(), source },
        };
        let merged = files
            .iter()
            .try_fold(Kubeconfig::default(), |all, file| {
                all.merge(without_empty(Kubeconfig::read_from(file)?))
            })
            .map_err(unusable)?;
        let options =
            KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        let own_proxy = own_proxy(&merged, self.context.as_deref());
        let mut config =
            Config::from_custom_kubeconfig(merged, &options).await.map_err(unusable)?;
        // The library compares NO_PROXY with the proxy instead of the server.
        config.proxy_url = match own_proxy.map(|proxy| proxy.parse()) {
            Some(Ok(proxy)) => Some(proxy),
            Some(Err(_)) => return Err(wrong(origin, "its proxy-url is not a URL")),
            None => ProxyVariables::of_process().proxy_for(&config.cluster_url),
        };
        let checked = credentials::read_token_file(&mut config).and_then(|()| check(&config));
        checked.map_err(|problem| wrong(origin, &problem))?;
        Ok(config)
    }

    /// Returns where the kubeconfig comes from, for messages, and the files to read. Files of `$KUBECONFIG`
    /// that do not exist are passed over, as kubectl does; an explicit file is not.
    fn files(&self) -> (String, Vec<PathBuf>) {
        if let Some(path) = &self.path {
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

/// Finds what the library that sends requests takes for granted.
fn check(config: &Config) -> Result<(), String> {
    let server = &config.cluster_url;
    if !matches!(server.scheme_str(), Some("https" | "http")) || server.host().is_none() {
        return Err(format!(
            "its server {:?} is not a URL; use a form such as https://127.0.0.1:6443",
            server.to_string()
        ));
    }
    let namespace = &config.default_namespace;
    if !namespace.is_empty() && !valid::is_label(namespace) {
        return Err(format!(
            "the namespace {:?} of its context is not a valid name of a namespace",
            config.default_namespace
        ));
    }
    credentials::check(config)
}

/// Says where a file is not a kubeconfig. The lines around, and the values in the parser's own words, may be secret.
fn not_parsed(error: &serde_saphyr::Error) -> String {
    let problem =
        "it is not valid YAML, has a key twice, or a field has another type than in a kubeconfig";
    match error.location() {
        Some(at) => format!("{problem}: line {}, column {}", at.line(), at.column()),
        None => problem.to_owned(),
    }
}

/// Takes empty values out, which kubectl reads as absent: the next file of `$KUBECONFIG` counts instead.
fn without_empty(mut file: Kubeconfig) -> Kubeconfig {
    file.current_context.take_if(|context| context.is_empty());
    for user in file.auth_infos.iter_mut().filter_map(|named| named.auth_info.as_mut()) {
        user.token.take_if(|token| token.expose_secret().is_empty());
        // An empty path has become the folder of the file.
        user.token_file.take_if(|path| path.is_empty() || path.ends_with('/'));
    }
    file
}

/// The proxy that the kubeconfig itself names for the cluster of a context.
fn own_proxy(kubeconfig: &Kubeconfig, context: Option<&str>) -> Option<String> {
    let context = context.or(kubeconfig.current_context.as_deref());
    let context = kubeconfig.contexts.iter().find(|named| Some(named.name.as_str()) == context);
    let context = context.and_then(|named| named.context.as_ref());
    let cluster = kubeconfig
        .clusters
        .iter()
        .find(|named| context.is_some_and(|context| context.cluster == named.name));
    let proxy = cluster.and_then(|named| named.cluster.as_ref()?.proxy_url.clone());
    proxy.filter(|proxy| !proxy.is_empty())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    async fn load(server: &str, token: &str) -> Result<Config, KubeconfigProblem> {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        write!(
            file,
            "{{apiVersion: v1, kind: Config, current-context: c,\n\
             clusters: [{{name: c, cluster: {{server: {server}}}}}],\n\
             users: [{{name: u, user: {{token: {token}}}}}],\n\
             contexts: [{{name: c, context: {{cluster: c, user: u}}}}]}}"
        )
        .expect("written");
        KubeconfigRef::file(file.path()).load().await
    }

    #[tokio::test]
    async fn a_server_or_token_that_no_request_can_have_is_an_error_that_names_the_file() {
        assert!(load("\"https://127.0.0.1:6443\"", "\"abc\"").await.is_ok());
        for (server, token, says) in [
            ("\"127.0.0.1:6443\"", "\"abc\"", "https://127.0.0.1:6443"),
            ("\"/api\"", "\"abc\"", "is not a URL"),
            ("\"https://127.0.0.1:6443\"", "\"abc\\n\"", "line break"),
        ] {
            let error = load(server, token).await.expect_err(server).to_string();
            assert!(error.contains(says) && error.contains("kubeconfig /"), "{error}");
            assert!(!error.contains("abc"), "a token is a secret: {error}");
        }
    }

    #[tokio::test]
    async fn empty_values_are_read_as_absent() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config");
        let text = "{apiVersion: v1, kind: Config, current-context: '', users: [{name: u, user: {token: '', tokenFile: ''}}]}";
        std::fs::write(&path, text).expect("written");
        let read = without_empty(Kubeconfig::read_from(&path).expect("a kubeconfig"));
        assert_eq!(read.current_context, None);
        let user = read.auth_infos[0].auth_info.as_ref().expect("a user");
        assert!(user.token.is_none() && user.token_file.is_none(), "{:?}", user.token_file);
    }

    #[tokio::test]
    async fn problems_of_a_kubeconfig_are_shown_without_its_lines() {
        for broken in [
            "users: [{name: u, user: {token: CANARY, token: CANARY}}]\n",
            "users: [{name: u, user: CANARY}]\n",
            "token: CANARY\n  a: [\n",
        ] {
            let file = tempfile::NamedTempFile::new().expect("a temporary file");
            std::fs::write(file.path(), broken).expect("written");
            let error = KubeconfigRef::file(file.path()).load().await.expect_err(broken);
            let error = support::causes::in_one_line(&error);
            assert!(!error.contains("CANARY") && error.contains("line "), "{error}");
        }
    }
}
