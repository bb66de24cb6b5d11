//! The files of the user's kubeconfig as one, and what becomes of entries in them. Pure: reads and
//! writes nothing.

use std::path::PathBuf;

use capi::set_field;
use serde_json::{Map, Value, json};

use super::access::{Access, Names};
use super::error::UserKubeconfigError;

/// A list of a kubeconfig: its field, and the field of what its items name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Clusters,
    Users,
    Contexts,
}

impl List {
    pub(super) const ALL: [Self; 3] = [Self::Clusters, Self::Users, Self::Contexts];

    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Clusters => "clusters",
            Self::Users => "users",
            Self::Contexts => "contexts",
        }
    }

    pub(super) fn item(self) -> &'static str {
        match self {
            Self::Clusters => "cluster",
            Self::Users => "user",
            Self::Contexts => "context",
        }
    }
}

/// One file.
#[derive(Clone, Debug)]
pub(super) struct ConfigFile {
    pub(super) path: PathBuf,
    /// Content of the file; an empty object if there is no file.
    pub(super) content: Value,
}

/// All files, in the order in which they count: the first that has a name decides about it.
#[derive(Clone, Debug)]
pub(super) struct UserConfig {
    pub(super) files: Vec<ConfigFile>,
    /// The one that gets new entries.
    pub(super) default: usize,
}

/// Checks that a document has the form of a kubeconfig, as far as entries are added to it.
pub(super) fn check_form(mut content: Value) -> Result<Value, String> {
    if content.is_null() {
        content = json!({});
    }
    let Some(fields) = content.as_object() else {
        return Err("it is no mapping".to_owned());
    };
    for (field, expected) in [("apiVersion", "v1"), ("kind", "Config")] {
        match fields.get(field) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) if text == expected => {}
            Some(_) => return Err(format!("its {field} is not {expected}")),
        }
    }
    for list in List::ALL {
        let field = list.field();
        let items = match fields.get(field) {
            None | Some(Value::Null) => continue,
            Some(Value::Array(items)) => items,
            Some(_) => return Err(format!("its {field} are not a list")),
        };
        if !items.iter().all(|item| item["name"].is_string()) {
            return Err(format!("one of its {field} has no name"));
        }
    }
    Ok(content)
}

/// The item of a name in one list of a document.
pub(super) fn item<'a>(content: &'a Value, list: List, name: &str) -> Option<&'a Value> {
    let mut items = content[list.field()].as_array().into_iter().flatten();
    items.find(|item| item["name"] == name)
}

impl UserConfig {
    fn find(&self, list: List, name: &str) -> Option<(usize, &Value)> {
        let mut files = self.files.iter().enumerate();
        files.find_map(|(index, file)| Some((index, item(&file.content, list, name)?)))
    }

    /// The file that has an entry of this name, or gets it.
    fn place(&self, list: List, name: &str) -> usize {
        self.find(list, name).map_or(self.default, |(index, _)| index)
    }

    /// The files that a merge would write to.
    pub(super) fn places(&self, names: &Names) -> Vec<&PathBuf> {
        let mut places: Vec<_> =
            List::ALL.map(|list| self.place(list, names.of(list))).into_iter().collect();
        if self.current_context().is_none() {
            places.push(self.default);
        }
        places.sort_unstable();
        places.dedup();
        places.into_iter().map(|index| &self.files[index].path).collect()
    }

    /// The context that kubectl uses by itself.
    pub(super) fn current_context(&self) -> Option<&str> {
        let all = self.files.iter().filter_map(|file| file.content["current-context"].as_str());
        all.into_iter().find(|name| !name.is_empty())
    }

    /// Fails if a name is that of something else. As long as nothing is known of the target
    /// (`access`), whatever has the name is something else.
    pub(super) fn check(
        &self,
        names: &Names,
        access: Option<&Access>,
    ) -> Result<(), UserKubeconfigError> {
        for list in List::ALL {
            let name = names.of(list);
            let Some((index, found)) = self.find(list, name) else { continue };
            let what = match (access, list) {
                (None, _) => Some(self.describe(list, found)),
                (Some(access), List::Clusters) => {
                    (!access.is_same_cluster(found)).then(|| self.describe(list, found))
                }
                (Some(access), List::Users) => (*found != access.user && !self.is_user_of(names))
                    .then(|| "which is not only this cluster's".to_owned()),
                (Some(_), List::Contexts) => {
                    let is_ours = found["context"]["cluster"] == names.cluster
                        && found["context"]["user"] == names.user;
                    (!is_ours).then(|| self.describe(list, found))
                }
            };
            if let Some(what) = what {
                let (path, name) = (self.files[index].path.clone(), name.to_owned());
                return Err(UserKubeconfigError::Taken { path, kind: list.item(), name, what });
            }
        }
        Ok(())
    }

    fn describe(&self, list: List, found: &Value) -> String {
        let text = |value: &Value| value.as_str().unwrap_or("nothing").to_owned();
        match list {
            List::Clusters => format!("which is {}", text(&found["cluster"]["server"])),
            List::Users => "which may be another cluster's".to_owned(),
            List::Contexts => format!(
                "of cluster `{}` and user `{}`",
                text(&found["context"]["cluster"]),
                text(&found["context"]["user"])
            ),
        }
    }

    /// Returns true if the user of this name is used with the cluster of this name, and with no
    /// other.
    fn is_user_of(&self, names: &Names) -> bool {
        let all = self.files.iter().filter_map(|file| file.content["contexts"].as_array());
        let contexts = all.flatten().map(|item| &item["context"]);
        let clusters: Vec<_> = contexts
            .filter(|context| context["user"] == names.user)
            .map(|context| &context["cluster"])
            .collect();
        !clusters.is_empty() && clusters.iter().all(|cluster| **cluster == names.cluster)
    }

    /// Puts the entries in. Says which files have changed.
    pub(super) fn merge(&mut self, access: &Access) -> Vec<&ConfigFile> {
        let before: Vec<Value> = self.files.iter().map(|file| file.content.clone()).collect();
        for list in List::ALL {
            let name = access.names.of(list);
            let index = self.place(list, name);
            put(&mut self.files[index].content, list, access.item(list));
        }
        if self.current_context().is_none() {
            self.files[self.default].content["current-context"] =
                access.names.context.clone().into();
        }
        let changed = self.files.iter().zip(before).filter(|(file, old)| file.content != *old);
        changed.map(|(file, _)| file).collect()
    }
}

fn put(content: &mut Value, list: List, new: &Value) {
    if content.as_object().is_none_or(Map::is_empty) {
        *content = json!({"apiVersion": "v1", "kind": "Config"});
    }
    let items = &mut content[list.field()];
    if !items.is_array() {
        *items = json!([]);
    }
    let Some(items) = items.as_array_mut() else { return };
    match items.iter_mut().find(|item| item["name"] == new["name"]) {
        None => items.push(new.clone()),
        // The namespace of a context is the user's choice.
        Some(old) if list == List::Contexts => {
            let fields = new["context"].as_object().into_iter().flatten();
            for (field, value) in fields {
                set_field(old, &["context", field], value.clone());
            }
        }
        Some(old) => *old = new.clone(),
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
