//! The entries to merge: the cluster, the user and the context of the target's kubeconfig.

use std::path::Path;

use serde_json::Value;
use support::yaml;

use super::config::{List, check_form, item};
use super::error::UserKubeconfigError;
use super::files;

/// The names of three entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) cluster: String,
    pub(crate) user: String,
    pub(crate) context: String,
}

impl Names {
    /// Those in the kubeconfig that Cluster API makes for a cluster.
    pub(crate) fn of_cluster_api(cluster: &str) -> Self {
        Self {
            cluster: cluster.to_owned(),
            user: format!("{cluster}-admin"),
            context: format!("{cluster}-admin@{cluster}"),
        }
    }

    pub(super) fn of(&self, list: List) -> &str {
        match list {
            List::Clusters => &self.cluster,
            List::Users => &self.user,
            List::Contexts => &self.context,
        }
    }
}

/// The entries themselves.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) names: Names,
    pub(super) cluster: Value,
    pub(super) user: Value,
    pub(super) context: Value,
}

impl Access {
    /// Reads the current context of a kubeconfig and what it names. Paths in it become absolute,
    /// since they are to be read from another file.
    ///
    /// # Errors
    /// It cannot be read, or has no such context.
    pub(crate) fn read(path: &Path) -> Result<Self, UserKubeconfigError> {
        let content = read(path)?;
        let invalid =
            |problem: String| UserKubeconfigError::Invalid { path: path.to_owned(), problem };
        let find = |list: List, name: &Value| {
            let name = name.as_str().unwrap_or_default();
            let found = item(&content, list, name).cloned();
            found.ok_or_else(|| invalid(format!("it has no {} `{name}`", list.item())))
        };
        let context = find(List::Contexts, &content["current-context"])?;
        let mut cluster = find(List::Clusters, &context["context"]["cluster"])?;
        let mut user = find(List::Users, &context["context"]["user"])?;
        let folder = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let folder = files::folder_of(&folder);
        make_absolute(&mut cluster, "/cluster/certificate-authority", folder);
        for field in ["/user/client-certificate", "/user/client-key", "/user/tokenFile"] {
            make_absolute(&mut user, field, folder);
        }
        // As for kubectl, a name without a slash is looked up in PATH.
        let command = "/user/exec/command";
        if user.pointer(command).and_then(Value::as_str).is_some_and(|text| text.contains('/')) {
            make_absolute(&mut user, command, folder);
        }
        let name = |item: &Value| item["name"].as_str().unwrap_or_default().to_owned();
        let names = Names { cluster: name(&cluster), user: name(&user), context: name(&context) };
        Ok(Self { names, cluster, user, context })
    }

    pub(super) fn item(&self, list: List) -> &Value {
        match list {
            List::Clusters => &self.cluster,
            List::Users => &self.user,
            List::Contexts => &self.context,
        }
    }

    /// Returns true if a cluster of a kubeconfig is this one: the same API server with the same
    /// authority.
    pub(super) fn is_same_cluster(&self, other: &Value) -> bool {
        ["server", "certificate-authority-data", "certificate-authority"]
            .iter()
            .all(|field| self.cluster["cluster"][field] == other["cluster"][field])
    }
}

/// The content of a kubeconfig; an empty one if it is not there.
pub(super) fn read_or_empty(path: &Path) -> Result<Value, UserKubeconfigError> {
    let text = files::read(path).map_err(|source| UserKubeconfigError::File {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    let content = yaml::secret_document(&text.unwrap_or_default());
    let content = content.map_err(|error| error.to_string()).and_then(check_form);
    content.map_err(|problem| UserKubeconfigError::Invalid { path: path.to_owned(), problem })
}

fn read(path: &Path) -> Result<Value, UserKubeconfigError> {
    match read_or_empty(path)? {
        Value::Object(fields) if fields.is_empty() => Err(UserKubeconfigError::Invalid {
            path: path.to_owned(),
            problem: "it is empty or not there".to_owned(),
        }),
        content => Ok(content),
    }
}

fn make_absolute(entry: &mut Value, field: &str, folder: &Path) {
    let Some(path) = entry.pointer_mut(field) else { return };
    if let Some(text) = path.as_str().filter(|text| !text.is_empty()) {
        *path = folder.join(text).display().to_string().into();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_current_context_is_read_with_absolute_paths() {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = dir.path().join("config");
        let text = "current-context: b\ncontexts:\n- {name: a, context: {cluster: x, user: x}}\n\
            - {name: b, context: {cluster: c, user: u, namespace: team}}\n\
            clusters:\n- {name: c, cluster: {server: 'https://s', certificate-authority: ca.crt}}\n\
            users:\n- name: u\n  user:\n    client-key: /etc/key\n    tokenFile: ../token\n    \
            exec: {command: ./bin/get, apiVersion: v1}\n";
        std::fs::write(&path, text).expect("written");
        let access = Access::read(&path).expect("complete");
        let folder = dir.path().display().to_string();
        assert_eq!(access.names.context, "b");
        assert_eq!(
            access.cluster,
            json!({"name": "c", "cluster": {"server": "https://s",
                "certificate-authority": format!("{folder}/ca.crt")}})
        );
        assert_eq!(
            access.user["user"],
            json!({"client-key": "/etc/key", "tokenFile": format!("{folder}/../token"),
                "exec": {"command": format!("{folder}/./bin/get"), "apiVersion": "v1"}})
        );
        assert_eq!(access.context["context"]["namespace"], "team");
    }

    #[test]
    fn a_user_without_exec_gets_none() {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = dir.path().join("config");
        let text = "current-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]\n\
            clusters: [{name: c, cluster: {server: s}}]\nusers: [{name: u, user: {token: t}}]\n";
        std::fs::write(&path, text).expect("written");
        let access = Access::read(&path).expect("complete");
        assert_eq!(access.user, json!({"name": "u", "user": {"token": "t"}}));
        for (without, shown) in [("clusters", "no cluster `c`"), ("users", "no user `u`")] {
            let broken =
                text.replace(&format!("{without}: ["), &format!("{without}: []\nother: ["));
            std::fs::write(&path, broken).expect("written");
            let error = Access::read(&path).expect_err("incomplete").to_string();
            assert!(error.ends_with(shown), "{error}");
        }
        assert!(Access::read(&dir.path().join("none")).is_err());
    }
}
