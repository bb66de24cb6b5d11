//! Contracts: the versions of Cluster API's rules for providers that the two clusters implement.
//!
//! A provider names them by labels of its CRDs: `cluster.x-k8s.io/v1beta2: v1beta2`.

use std::collections::BTreeMap;

use capi::names::PROVIDER_LABEL;
use capi::{Object, well_known};
use cluster::{ApiError, Client};

use crate::findings::{Findings, shortened};

/// The prefix of the labels.
const PREFIX: &str = "cluster.x-k8s.io/";

/// Providers that are named one by one.
const NAMED: usize = 6;

/// Reports providers that implement another contract in the target than in the source.
///
/// # Errors
/// When CRDs cannot be listed. Who may not list those of the target learns nothing here.
pub(super) async fn check(
    (source, target): (&Client, &Client),
    findings: &mut Findings,
) -> Result<(), ApiError> {
    let (before, after) = tokio::join!(read(source), read(target));
    let after = match after {
        Err(error) if error.is_forbidden() => return Ok(()),
        other => other?,
    };
    report(&before?, &after, findings);
    Ok(())
}

/// The newest contract of each provider.
type Contracts = BTreeMap<String, Contract>;

/// A contract, in the order of Kubernetes' versions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Contract {
    major: u32,
    stage: Stage,
    minor: u32,
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Alpha,
    Beta,
    Stable,
}

impl Contract {
    fn parse(name: &str) -> Option<Self> {
        let version = name.strip_prefix('v')?;
        let words = [("alpha", Stage::Alpha), ("beta", Stage::Beta)];
        let parts = words.into_iter().find_map(|(word, stage)| {
            let (major, minor) = version.split_once(word)?;
            Some((major, stage, minor))
        });
        let (major, stage, minor) = parts.unwrap_or((version, Stage::Stable, "0"));
        let (major, minor) = (major.parse().ok()?, minor.parse().ok()?);
        Some(Self { major, stage, minor, name: name.to_owned() })
    }
}

async fn read(cluster: &Client) -> Result<Contracts, ApiError> {
    Ok(newest(&cluster.list_metadata(&well_known::crd(), None).await?))
}

fn newest(crds: &[Object]) -> Contracts {
    let mut contracts = Contracts::new();
    for crd in crds {
        let Some(provider) = crd.label(PROVIDER_LABEL) else { continue };
        let labels = crd.at("/metadata/labels").as_object();
        let names =
            labels.into_iter().flatten().filter_map(|(label, _)| label.strip_prefix(PREFIX));
        let Some(newest) = names.filter_map(Contract::parse).max() else { continue };
        let known = contracts.entry(provider.to_owned()).or_insert_with(|| newest.clone());
        *known = newest.max(known.clone());
    }
    contracts
}

fn report(before: &Contracts, after: &Contracts, findings: &mut Findings) {
    let mut changes: BTreeMap<(&Contract, &Contract), Vec<String>> = BTreeMap::new();
    for (provider, old) in before {
        let Some(new) = after.get(provider).filter(|new| *new != old) else { continue };
        changes.entry((old, new)).or_default().push(provider.clone());
    }
    for ((old, new), providers) in changes {
        let providers = shortened(providers.into_iter(), NAMED);
        let (from, to) = (&old.name, &new.name);
        if new < old {
            let message =
                format!("the contract of {providers} is older ({to}) than in the source ({from})");
            let hint = "upgrade them with `clusterctl upgrade apply` in the target cluster";
            findings.error("ProviderOlder", "target", message, hint);
            continue;
        }
        let message =
            format!("the contract of its providers changes from {from} to {to}: {providers}");
        let hint = "nothing is to be done for the move; tools and templates that use the older \
                    contract have to follow";
        findings.warning("ContractChanged", "target", message, hint);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn crd(provider: &str, contracts: &[&str]) -> Object {
        let mut labels = json!({PROVIDER_LABEL: provider});
        for contract in contracts {
            labels[format!("{PREFIX}{contract}")] = "v1".into();
        }
        Object::new(json!({"metadata": {"name": "a", "labels": labels}}))
    }

    fn rules(before: &[Object], after: &[Object]) -> Vec<(&'static str, String)> {
        let mut findings = Findings::default();
        report(&newest(before), &newest(after), &mut findings);
        findings.0.into_iter().map(|finding| (finding.rule, finding.message)).collect()
    }

    #[test]
    fn the_newest_contract_of_each_provider_counts() {
        let old = [crd("docker", &["v1alpha4", "v1beta1"]), crd("core", &["v1beta1"])];
        let new = [crd("docker", &["v1beta1", "v1beta2"]), crd("core", &["v1beta2"])];
        let changed = "the contract of its providers changes from v1beta1 to v1beta2: core, docker";
        assert_eq!(rules(&old, &new), [("ContractChanged", changed.to_owned())]);
        assert!(rules(&old, &old).is_empty());
        assert!(rules(&old, &[crd("other", &["v1"])]).is_empty());
        let back = rules(&new, &old);
        let [(rule, message)] = &back[..] else { panic!("{back:?}") };
        assert_eq!(*rule, "ProviderOlder");
        assert!(message.contains("core, docker") && message.contains("(v1beta1)"), "{message}");
    }

    #[test]
    fn contracts_are_ordered_as_versions_of_kubernetes() {
        let order = ["v1alpha3", "v1alpha10", "v1beta1", "v1", "v2alpha1", "v2"];
        let parsed: Vec<Contract> = order.iter().filter_map(|name| Contract::parse(name)).collect();
        assert!(parsed.is_sorted() && parsed.len() == order.len(), "{parsed:?}");
        for none in ["provider", "vbeta1", "v1gamma1", "watch-filter"] {
            assert_eq!(Contract::parse(none), None, "{none}");
        }
    }
}
