//! The secrets: five of the cluster, one with the bootstrap data of each machine.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::blueprint::Blueprint;
use super::kinds;
use super::machine::Member;
use super::material::{KeyPair, Material};
use super::parts::{CLUSTER_NAME_LABEL, Context, KUBERNETES, controller, owner};

/// The secrets that the control plane provider makes for a cluster.
pub(super) fn cluster_secrets(context: &Context, material: &Material) -> Vec<Blueprint> {
    let names = &context.names;
    let owner = controller(&kinds::KUBEADM_CONTROL_PLANE, &names.control_plane);
    let secret = |purpose, data: &[(&str, &str)]| {
        Blueprint::new(&kinds::SECRET, &names.secret(purpose)).created(body(
            &names.cluster,
            &owner,
            data,
        ))
    };
    let pair = |purpose, KeyPair { certificate, key }: &KeyPair| {
        secret(purpose, &[("tls.crt", certificate), ("tls.key", key)])
    };
    let endpoint = format!("{}:6443", context.address(0));
    vec![
        pair("ca", &material.ca),
        pair("etcd", &material.etcd),
        pair("sa", &material.service_account),
        pair("proxy", &material.front_proxy),
        secret("kubeconfig", &[("value", &material.kubeconfig(&names.cluster, &endpoint))]),
    ]
}

/// Returns what a machine runs at its first start.
pub(super) fn bootstrap_data(member: Member<'_>, material: &Material) -> Blueprint {
    let mut owner = owner(&kinds::KUBEADM_CONFIG, member.name);
    owner["controller"] = json!(true);
    let data = if member.is_control_plane() {
        init_script(member.context, material)
    } else {
        join_script(member, material)
    };
    Blueprint::new(&kinds::SECRET, member.name).created(body(
        &member.context.names.cluster,
        &owner,
        &[("format", "cloud-config"), ("value", &data)],
    ))
}

fn body(cluster: &str, owner: &Value, data: &[(&str, &str)]) -> Value {
    let data: Map<String, Value> =
        data.iter().map(|(key, text)| ((*key).to_owned(), json!(STANDARD.encode(text)))).collect();
    json!({
        "metadata": {"labels": {CLUSTER_NAME_LABEL: cluster}, "ownerReferences": [owner]},
        "type": "cluster.x-k8s.io/secret",
        "data": data,
    })
}

fn init_script(context: &Context, material: &Material) -> String {
    let pki = [
        ("ca", &material.ca),
        ("etcd/ca", &material.etcd),
        ("front-proxy-ca", &material.front_proxy),
        ("sa", &material.service_account),
    ];
    let mut files = String::new();
    for (name, pair) in pki {
        let public = if name == "sa" { "pub" } else { "crt" };
        let path = format!("/etc/kubernetes/pki/{name}");
        files += &file(&format!("{path}.{public}"), "0640", &pair.certificate);
        files += &file(&format!("{path}.key"), "0600", &pair.key);
    }
    files += &file("/run/kubeadm/kubeadm.yaml", "0640", &init_configuration(context));
    cloud_config(&files, "kubeadm init --config /run/kubeadm/kubeadm.yaml")
}

fn init_configuration(context: &Context) -> String {
    let cluster = &context.names.cluster;
    let endpoint = context.address(0);
    format!(
        "---\napiServer:\n  certSANs:\n  - localhost\n  - 127.0.0.1\n  - 0.0.0.0\n  - \
         host.docker.internal\napiVersion: kubeadm.k8s.io/v1beta4\nclusterName: \
         {cluster}\ncontrolPlaneEndpoint: {endpoint}:6443\nkind: \
         ClusterConfiguration\nkubernetesVersion: {KUBERNETES}\nnetworking:\n  dnsDomain: \
         cluster.local\n  podSubnet: 192.168.0.0/16\n  serviceSubnet: \
         10.96.0.0/12\n---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: \
         InitConfiguration\nlocalAPIEndpoint: {{}}\n{REGISTRATION}"
    )
}

fn join_script(member: Member<'_>, material: &Material) -> String {
    let configuration = format!(
        "---\napiVersion: kubeadm.k8s.io/v1beta4\ndiscovery:\n  bootstrapToken:\n    \
         apiServerEndpoint: {}:6443\n    caCertHashes:\n    - {}\n    token: {}\n\
         kind: JoinConfiguration\n{REGISTRATION}",
        member.context.address(0),
        material.ca_hash,
        member.token(material),
    );
    let files = file("/run/kubeadm/kubeadm-join-config.yaml", "0640", &configuration);
    cloud_config(&files, "kubeadm join --config /run/kubeadm/kubeadm-join-config.yaml")
}

const REGISTRATION: &str = "nodeRegistration:\n  imagePullPolicy: IfNotPresent\n  \
                            kubeletExtraArgs:\n  - name: eviction-hard\n    value: \
                            nodefs.available<0%,nodefs.inodesFree<0%,imagefs.available<0%\n";

fn cloud_config(files: &str, command: &str) -> String {
    let placeholder = file(
        "/run/cluster-api/placeholder",
        "0640",
        "This placeholder file is used to create the /run/cluster-api sub directory in a way that \
         is compatible with both Linux and Windows (mkdir -p /run/cluster-api does not work with \
         Windows)\n",
    );
    format!(
        "## template: jinja\n#cloud-config\n\nwrite_files:\n{files}{placeholder}runcmd:\n  \
         - '{command}  && echo success > /run/cluster-api/bootstrap-success.complete'\n"
    )
}

fn file(path: &str, mode: &str, content: &str) -> String {
    let mut text = format!(
        "-   path: {path}\n    owner: root:root\n    permissions: '{mode}'\n    content: |\n"
    );
    for line in content.lines() {
        text += &format!("      {line}\n");
    }
    text
}
