//! Stands in for kind: the clusters are local control planes (etcd and kube-apiserver), no
//! containers.
//!
//! Understands what `kubectl pivot create` asks kind for. Clusters are kept below
//! `STAND_IN_KIND_ROOT` and outlive this program, as those of kind do.

use std::error::Error;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use capi::{Object, ResourceType};
use cluster::{Client, KubeconfigRef, WriteOptions};
use sandbox::{Sandboxes, UpOptions};
use serde_json::{Value, json};
use support::journal::Events;
use support::yaml;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let root = std::env::var_os("STAND_IN_KIND_ROOT").map(PathBuf::from);
    let clusters = Sandboxes::at(root.ok_or("STAND_IN_KIND_ROOT is not set")?);
    match words[..] {
        ["version"] => say("kind v0.33.0 stand-in of the tests\n"),
        ["get", "clusters"] => {
            let known = clusters.list()?;
            say(&known.iter().map(|info| format!("{}\n", info.name)).collect::<String>())
        }
        ["get", "kubeconfig", ..] => {
            let info = clusters.get(flag(&words, "--name")?)?;
            let cluster = info.clusters.first().ok_or("the cluster was not started completely")?;
            say(&std::fs::read_to_string(&cluster.kubeconfig)?)
        }
        ["create", "cluster", ..] => create(&clusters, &words).await,
        ["delete", "cluster", ..] => {
            let name = flag(&words, "--name")?;
            if clusters.list()?.iter().any(|info| info.name == name) {
                clusters.down(name).await?;
            }
            Ok(())
        }
        ["load", "docker-image" | "image-archive", ..] => {
            clusters.get(flag(&words, "--name")?)?;
            Ok(())
        }
        _ => Err(format!("the stand-in for kind does not know {words:?}").into()),
    }
}

async fn create(clusters: &Sandboxes, words: &[&str]) -> Result<(), Box<dyn Error>> {
    let name = flag(words, "--name")?;
    let config = yaml::documents(&std::fs::read_to_string(flag(words, "--config")?)?)?;
    let is_config = |value: &serde_json::Value| {
        value["apiVersion"] == "kind.x-k8s.io/v1alpha4"
            && value["kind"] == "Cluster"
            && value["name"] == name
    };
    if !config.iter().any(is_config) {
        return Err("the configuration is none of kind for this cluster".into());
    }
    if clusters.list()?.iter().any(|info| info.name == name) {
        return Err(format!("node(s) already exist for a cluster with the name \"{name}\"").into());
    }
    let options = UpOptions {
        name: name.to_owned(),
        clusters: NonZeroUsize::MIN,
        bare: true,
        parts: kubectl_pivot_tests::parts::options(),
        ..UpOptions::default()
    };
    let info = clusters.up(&options, &Events::none()).await?;
    let cluster = info.clusters.first().ok_or("no cluster was started")?;
    for node in config.iter().flat_map(|config| config["nodes"].as_array()).flatten() {
        register(&cluster.kubeconfig, name, &node["labels"]).await?;
    }
    std::fs::write(flag(words, "--kubeconfig")?, std::fs::read(&cluster.kubeconfig)?)?;
    Ok(())
}

/// A kubelet registers its node with the labels of kind's configuration.
async fn register(kubeconfig: &Path, name: &str, labels: &Value) -> Result<(), Box<dyn Error>> {
    let cluster = Client::connect("kind", &KubeconfigRef::file(kubeconfig)).await?;
    let node = json!({"apiVersion": "v1", "kind": "Node",
        "metadata": {"name": format!("{name}-control-plane"), "labels": labels}});
    let nodes = ResourceType::new("v1", "Node", "nodes", false);
    cluster.create(&nodes, &Object::new(node), &WriteOptions::default()).await?;
    Ok(())
}

fn flag<'a>(words: &[&'a str], name: &str) -> Result<&'a str, String> {
    let position = words.iter().position(|word| *word == name);
    let value = position.and_then(|position| words.get(position + 1)).copied();
    value.ok_or_else(|| format!("{name} is missing"))
}

fn say(text: &str) -> Result<(), Box<dyn Error>> {
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}
