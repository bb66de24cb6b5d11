//! Several kubeconfig files as one: of each name the first file's entry counts, whole, and so does
//! the first current context that is not empty. Paths are relative to the file that names them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::document::{Cluster, Context, Document, User};
use crate::files;

/// The entries of all files, with absolute paths.
#[derive(Default)]
pub(super) struct Merged {
    clusters: BTreeMap<String, Cluster>,
    users: BTreeMap<String, User>,
    contexts: BTreeMap<String, Context>,
    current_context: String,
}

/// The entries that a context names.
pub(super) struct Chosen {
    pub(super) context: Context,
    pub(super) cluster: Cluster,
    pub(super) user: User,
}

impl Merged {
    /// Reads the files, the one that counts most first.
    pub(super) fn read(files: &[PathBuf]) -> Result<Self, String> {
        let mut merged = Self::default();
        for file in files {
            let text = files::read_text(file)
                .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
            let of_file = |problem: String| match files {
                [_] => problem,
                _ => format!("{}: {problem}", file.display()),
            };
            merged.add(Document::read(&text).map_err(of_file)?, file).map_err(of_file)?;
        }
        Ok(merged)
    }

    fn add(&mut self, mut document: Document, file: &Path) -> Result<(), String> {
        let folder = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let folder = folder.parent().map(Path::to_owned).unwrap_or_default();
        for (name, mut cluster) in document.clusters()? {
            resolve(&folder, &mut cluster.certificate_authority);
            self.clusters.entry(name).or_insert(cluster);
        }
        for (name, mut user) in document.users()? {
            for path in [&mut user.client_certificate, &mut user.client_key, &mut user.token_file] {
                resolve(&folder, path);
            }
            // A command without a slash is looked for in the PATH.
            if let Some(exec) = user.exec.as_mut().filter(|exec| exec.command.contains('/')) {
                resolve(&folder, &mut exec.command);
            }
            self.users.entry(name).or_insert(user);
        }
        for (name, context) in document.contexts()? {
            self.contexts.entry(name).or_insert(context);
        }
        if self.current_context.is_empty() {
            self.current_context = document.current_context;
        }
        Ok(())
    }

    /// The names of all contexts, sorted.
    pub(super) fn contexts(&self) -> impl Iterator<Item = &str> {
        self.contexts.keys().map(String::as_str)
    }

    /// Returns what a context names, or the current one. A user that does not exist is nobody, as
    /// for kubectl.
    ///
    /// kubectl goes to `localhost:8080` where a context or a cluster is missing; a move does not.
    pub(super) fn choose(mut self, context: Option<&str>) -> Result<Chosen, String> {
        let name = context.filter(|name| !name.is_empty()).unwrap_or(&self.current_context);
        if name.is_empty() {
            return Err(format!("it has no current context; {}", choice(self.contexts.keys())));
        }
        let Some(context) = self.contexts.get(name).cloned() else {
            return Err(format!("it has no context {name:?}; {}", choice(self.contexts.keys())));
        };
        let Some(cluster) = self.clusters.remove(&context.cluster) else {
            return Err(format!(
                "its context {name:?} is about a cluster {:?}, which it does not have",
                context.cluster
            ));
        };
        let user = self.users.remove(&context.user).unwrap_or_default();
        Ok(Chosen { context, cluster, user })
    }
}

fn choice<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> String {
    if names.len() == 0 {
        return "there is none to choose".to_owned();
    }
    let names: Vec<String> = names.map(|name| format!("{name:?}")).collect();
    format!("choose one of {}", names.join(", "))
}

fn resolve(folder: &Path, path: &mut String) {
    if !path.is_empty() {
        *path = folder.join(&path).display().to_string();
    }
}
