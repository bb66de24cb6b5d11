//! Finding the kubeconfig the way kubectl does.

use std::env;
use std::path::{Path, PathBuf};

use kube::config::{Config, KubeConfigOptions, Kubeconfig, KubeconfigError};

/// Which kubeconfig and which context of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KubeconfigRef {
    /// File; without one, `$KUBECONFIG` (a list of files), then `~/.kube/config`, then the service
    /// account of the pod this runs in.
    pub path: Option<PathBuf>,
    /// Context; without one, the current context.
    pub context: Option<String>,
}

/// Why a cluster could not be connected to from a kubeconfig.
#[derive(Debug, thiserror::Error)]
pub enum KubeconfigProblem {
    /// No kubeconfig was given or found.
    #[error("no kubeconfig found: {looked} and this is not a pod")]
    NotFound {
        /// Where it was looked for.
        looked: String,
    },
    /// A kubeconfig is there but cannot be used.
    #[error("cannot use the kubeconfig {origin}")]
    Unusable {
        /// The file or files.
        origin: String,
        /// What is wrong with it.
        #[source]
        source: KubeconfigError,
    },
}

impl KubeconfigRef {
    /// A file and its current context.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { path: Some(path.into()), context: None }
    }

    /// Reads the kubeconfig.
    ///
    /// # Errors
    /// When there is none, it cannot be parsed, or the context is not in it.
    pub async fn load(&self) -> Result<Config, KubeconfigProblem> {
        let (origin, files) = self.files();
        if files.is_empty()
            && self.context.is_none()
            && let Ok(config) = Config::incluster()
        {
            return Ok(config);
        }
        if files.is_empty() {
            return Err(KubeconfigProblem::NotFound { looked: origin });
        }
        let unusable = |source| KubeconfigProblem::Unusable { origin: origin.clone(), source };
        let merged = files
            .iter()
            .try_fold(Kubeconfig::default(), |all, file| all.merge(Kubeconfig::read_from(file)?))
            .map_err(unusable)?;
        let options =
            KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        Config::from_custom_kubeconfig(merged, &options).await.map_err(unusable)
    }

    /// Where the kubeconfig comes from, for messages, and the files to read. Files of `$KUBECONFIG`
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
