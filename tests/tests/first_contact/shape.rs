//! A kubeconfig, or several, with what stands around them.

use serde_json::{Value, json};

/// The input of both programs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    pub(crate) name: String,
    /// Files by name, in a folder of their own.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// Names of the kubeconfigs among them; several are given by `KUBECONFIG`.
    pub(crate) kubeconfigs: Vec<String>,
    pub(crate) context: Option<String>,
    pub(crate) env: Vec<(String, String)>,
    /// The reason why this program is to refuse what kubectl takes.
    pub(crate) deviation: Option<&'static str>,
    /// True if kubectl may refuse it for another reason.
    pub(crate) is_refused_by_kubectl_too: bool,
}

impl Shape {
    /// One kubeconfig with one cluster, user and context.
    pub(crate) fn new(name: impl Into<String>, cluster: &Value, user: &Value) -> Self {
        Self::text(name, &kubeconfig(cluster, user).to_string())
    }

    /// One kubeconfig, as it is.
    pub(crate) fn text(name: impl Into<String>, text: &str) -> Self {
        Self {
            name: name.into(),
            files: vec![("config".to_owned(), text.as_bytes().to_vec())],
            kubeconfigs: vec!["config".to_owned()],
            ..Self::default()
        }
    }

    pub(crate) fn file(mut self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((name.to_owned(), content.into()));
        self
    }

    /// Adds a kubeconfig behind those that are there.
    pub(crate) fn and(mut self, name: &str, text: &str) -> Self {
        self.kubeconfigs.push(name.to_owned());
        self.file(name, text)
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn context(mut self, name: &str) -> Self {
        self.context = Some(name.to_owned());
        self
    }

    /// States that this program refuses it although kubectl does not.
    pub(crate) fn refused_here(mut self, reason: &'static str) -> Self {
        self.deviation = Some(reason);
        self
    }
}

/// One cluster, one user, one context.
pub(crate) fn kubeconfig(cluster: &Value, user: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "it",
        "clusters": [{"name": "there", "cluster": cluster}],
        "users": [{"name": "me", "user": user}],
        "contexts": [{"name": "it", "context": {"cluster": "there", "user": "me",
            "namespace": "team"}}],
    })
}

/// An object with the fields of both.
pub(crate) fn with(mut base: Value, more: &Value) -> Value {
    let more = more.as_object().expect("an object").clone();
    base.as_object_mut().expect("an object").extend(more);
    base
}
