//! Objects that another tool keeps as they are in a repository or a release. It would create them
//! again in the source once the move has deleted them, or resume what the move has paused.

use std::collections::BTreeMap;

use capi::{Graph, Object, ObjectId, at};

use crate::findings::Findings;

/// Warns of tools that have left their marks on objects that are copied.
pub(super) fn check(graph: &Graph, findings: &mut Findings) {
    let mut found: BTreeMap<Manager<'_>, Vec<ObjectId>> = BTreeMap::new();
    for object in graph.copied().map(|index| &graph[index].object) {
        if let Some(manager) = manager_of(object) {
            found.entry(manager).or_default().push(object.id());
        }
    }
    for (manager, objects) in found {
        let problem = format!(
            "{} manages {}, and may resume or create again in the source what the move has paused \
             or deleted",
            manager.describe(),
            if objects.len() == 1 { "it" } else { "them" }
        );
        findings.group_warning("ManagedElsewhere", "source", objects, &problem, manager.hint());
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tool {
    ArgoCd,
    FluxKustomization,
    FluxHelmRelease,
    Helm,
}

/// A tool, and its name for what it manages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Manager<'a> {
    tool: Tool,
    namespace: &'a str,
    name: &'a str,
}

impl Manager<'_> {
    fn describe(&self) -> String {
        let kind = match self.tool {
            Tool::ArgoCd => "Argo CD (Application",
            Tool::FluxKustomization => "Flux (Kustomization",
            Tool::FluxHelmRelease => "Flux (HelmRelease",
            Tool::Helm => "Helm (release",
        };
        format!("{kind} {})", self.name)
    }

    fn hint(&self) -> String {
        let Self { tool, namespace, name } = self;
        match tool {
            Tool::ArgoCd => format!(
                "suspend it before the move (`argocd app set {name} --sync-policy none`), and let \
                 it manage the target afterwards"
            ),
            Tool::FluxKustomization => format!(
                "suspend it before the move (`flux suspend kustomization {name} -n {namespace}`), \
                 and let it manage the target afterwards"
            ),
            Tool::FluxHelmRelease => format!(
                "suspend it before the move (`flux suspend helmrelease {name} -n {namespace}`), \
                 and let it manage the target afterwards"
            ),
            Tool::Helm => format!(
                "do not upgrade the release {name} in the source until the move has ended, and \
                 install it in the target afterwards"
            ),
        }
    }
}

/// Flux marks what it installs by Helm with both, and decides what becomes of it.
fn manager_of(object: &Object) -> Option<Manager<'_>> {
    let manager = |tool, namespace, name| Some(Manager { tool, namespace, name });
    let own = object.namespace().unwrap_or_default();
    if let Some(id) = object.annotation("argocd.argoproj.io/tracking-id") {
        // The form is `APPLICATION:GROUP/KIND:NAMESPACE/NAME`.
        return manager(Tool::ArgoCd, own, id.split(':').next().unwrap_or(id));
    }
    if let Some(name) = object.label("argocd.argoproj.io/instance") {
        return manager(Tool::ArgoCd, own, name);
    }
    if let Some(name) = object.label("app.kubernetes.io/instance").filter(|_| has_argocd(object)) {
        return manager(Tool::ArgoCd, own, name);
    }
    for (tool, prefix) in [
        (Tool::FluxKustomization, "kustomize.toolkit.fluxcd.io"),
        (Tool::FluxHelmRelease, "helm.toolkit.fluxcd.io"),
    ] {
        if let Some(name) = object.label(&format!("{prefix}/name")) {
            let namespace = object.label(&format!("{prefix}/namespace")).unwrap_or(own);
            return manager(tool, namespace, name);
        }
    }
    let release = object.annotation("meta.helm.sh/release-name")?;
    manager(Tool::Helm, object.annotation("meta.helm.sh/release-namespace").unwrap_or(own), release)
}

/// Many tools set `app.kubernetes.io/instance`; Argo CD is one of them where it manages fields.
fn has_argocd(object: &Object) -> bool {
    object.managed_fields().iter().any(|entry| {
        at(entry, "/manager").as_str().is_some_and(|manager| manager.starts_with("argocd"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn tools_are_known_by_their_marks() {
        let found = |metadata: Value| {
            let object = Object::new(json!({"metadata": metadata}));
            manager_of(&object).map(|manager| manager.describe())
        };
        let flux = json!({"helm.toolkit.fluxcd.io/name": "apps"});
        let helm = json!({"meta.helm.sh/release-name": "fleet"});
        let instance = json!({"app.kubernetes.io/instance": "fleet"});
        let argocd = json!([{"manager": "argocd-controller"}]);
        for (metadata, wanted) in [
            (
                json!({"annotations": {"argocd.argoproj.io/tracking-id": "fleet:g/K:ns/n"}}),
                Some("Argo CD (Application fleet)"),
            ),
            (
                json!({"labels": instance, "managedFields": argocd}),
                Some("Argo CD (Application fleet)"),
            ),
            (json!({"labels": instance}), None),
            (
                json!({"labels": {"kustomize.toolkit.fluxcd.io/name": "infra"}}),
                Some("Flux (Kustomization infra)"),
            ),
            (json!({"labels": flux, "annotations": helm}), Some("Flux (HelmRelease apps)")),
            (json!({"annotations": helm}), Some("Helm (release fleet)")),
            (json!({"labels": {"app": "x"}}), None),
        ] {
            assert_eq!(found(metadata.clone()).as_deref(), wanted, "{metadata}");
        }
    }
}
