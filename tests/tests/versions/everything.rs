//! Kinds and fields beyond those of a usual fleet: every field of kubeadm's kinds that an admission
//! webhook lets pass, a pool of Machines, an address.

use kubectl_pivot_tests::population::{Handle, ObjectSpec, Population};
use serde_json::{Value, json};

use crate::bench::source;
use crate::population::{BOOTSTRAP, CLUSTER_NAME, CONTROL_PLANE, CORE, DOCKER, IPAM, KUBERNETES};

/// Adds them to a Cluster that is at rest: no controller would be content with them.
pub(crate) fn everything(population: &mut Population, cluster: Handle) {
    control_plane(population, cluster);
    by_file(population, cluster);
    pool(population, cluster);
    address(population, cluster);
}

fn control_plane(population: &mut Population, cluster: Handle) {
    let mut template = json!({
        "metadata": {"labels": {"role": "everything"}, "annotations": {"note": "everything"}},
        "infrastructureRef": {"apiVersion": DOCKER, "kind": "DockerMachineTemplate",
            "name": "plain",
            "namespace": population.namespace()},
        "nodeDrainTimeout": "90s", "nodeVolumeDetachTimeout": "2m0s", "nodeDeletionTimeout": "0s",
    });
    let mut kubeadm = kubeadm();
    let mut spec = json!({
        "replicas": 3, "version": KUBERNETES, "rolloutAfter": "2026-01-01T00:00:00Z",
        "rolloutBefore": {"certificatesExpiryDays": 30},
        "rolloutStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0}},
        "remediationStrategy": {"maxRetry": 0, "retryPeriod": "0s", "minHealthyPeriod": "2h0m0s"},
    });
    if source() >= "1.10.0".parse().expect("a version") {
        template["readinessGates"] =
            json!([{"conditionType": "A"}, {"conditionType": "B", "polarity": "Negative"}]);
        kubeadm["bootCommands"] = json!(["echo boot"]);
        spec["machineNamingStrategy"] = json!({"template": "{{ .cluster.name }}-{{ .random }}"});
    }
    spec["machineTemplate"] = template;
    spec["kubeadmConfigSpec"] = kubeadm;
    population.add(
        ObjectSpec::new(CONTROL_PLANE, "KubeadmControlPlane", "everything")
            .label(CLUSTER_NAME, "plain")
            .owned_by(cluster)
            .spec(spec),
    );
}

fn kubeadm() -> Value {
    let volume = |path: &str| {
        json!([{"name": "v", "hostPath": path, "mountPath": path,
        "readOnly": true, "pathType": "Directory"}])
    };
    let variables = json!([{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"fieldRef":
        {"apiVersion": "v1", "fieldPath": "status.hostIP"}}},
            {"name": "C", "valueFrom": {"secretKeyRef":
        {"name": "s", "key": "k", "optional": false}}}, {"name": "D", "value": ""}]);
    let component = |path: &str| {
        json!({"extraArgs": {"v": "4", "empty": ""},
        "extraVolumes": volume(path), "extraEnvs": variables})
    };
    let mut server = component("/api");
    server["certSANs"] = json!(["a.example.com"]);
    server["timeoutForControlPlane"] = "3m30s".into();
    json!({
        "clusterConfiguration": {
            "apiServer": server, "controllerManager": component("/manager"),
            "scheduler": component("/scheduler"),
            "etcd": {"local": {"dataDir": "/etcd", "extraArgs": {"a": "b"}, "extraEnvs": variables,
                "imageRepository": "r.example.com", "imageTag": "3.5", "peerCertSANs": ["p"],
                "serverCertSANs": ["s"]}},
            "dns": {"imageRepository": "r.example.com", "imageTag": "v1"},
            "certificatesDir": "/pki", "controlPlaneEndpoint": "10.0.0.1:6443",
            "imageRepository": "r.example.com",
            "clusterName": "plain", "kubernetesVersion": KUBERNETES,
            "featureGates": {"A": true, "B": false},
            "networking": {"dnsDomain": "a.local", "podSubnet": "10.1.0.0/16",
                "serviceSubnet": "10.2.0.0/16"},
        },
        "initConfiguration": {"bootstrapTokens": [{"token": "abcdef.0123456789abcdef",
            "description": "d", "ttl": "24h0m0s",
            "usages": ["signing"], "groups": ["system:bootstrappers:g"]}],
            "localAPIEndpoint": {"advertiseAddress": "10.0.0.2", "bindPort": 6444},
            "nodeRegistration": registration(), "patches": {"directory": "/p"},
            "skipPhases": ["a", "b"]},
        "joinConfiguration": {"caCertPath": "/ca", "controlPlane":
            {"localAPIEndpoint": {"advertiseAddress": "10.0.0.3", "bindPort": 6445}},
            "discovery": {"timeout": "5m0s", "tlsBootstrapToken": "abcdef.0123456789abcdef",
                "bootstrapToken":
                {"token": "abcdef.0123456789abcdef", "apiServerEndpoint": "10.0.0.1:6443",
                    "unsafeSkipCAVerification": true}},
            "nodeRegistration": registration(), "patches": {"directory": "/p"},
            "skipPhases": ["c"]},
        "files": [{"path": "/a", "content": "YQ==", "encoding": "base64", "owner": "a:a",
            "permissions": "0600", "append": true},
            {"path": "/b", "contentFrom": {"secret": {"name": "s", "key": "k"}}}],
        "diskSetup": {"filesystems": [{"device": "/dev/a", "extraOpts": ["-E"],
            "filesystem": "ext4", "label": "l",
            "overwrite": false, "partition": "auto", "replaceFS": "xfs"}],
            "partitions": [{"device": "/dev/a", "layout": true, "overwrite": true,
                "tableType": "gpt"}]},
        "mounts": [["l", "/mnt"]], "ntp": {"enabled": false, "servers": ["t"]},
        "preKubeadmCommands": ["a"], "postKubeadmCommands": ["b"], "format": "cloud-config",
        "verbosity": 0,
        "users": [{"name": "u", "gecos": "g", "groups": "a,b", "homeDir": "/h", "inactive": true,
            "lockPassword": true,
            "passwdFrom": {"secret": {"name": "s", "key": "k"}}, "primaryGroup": "p", "shell": "/s",
            "sshAuthorizedKeys": ["k"], "sudo": "ALL"}],
    })
}

fn registration() -> Value {
    json!({"name": "n", "criSocket": "unix:///c", "ignorePreflightErrors": ["a"],
        "imagePullPolicy": "Always",
        "imagePullSerial": false, "kubeletExtraArgs": {"a": "b", "empty": ""},
        "taints": [{"key": "k", "value": "v", "effect": "NoExecute"}]})
}

/// Fields that exclude others: a file for the discovery, an etcd elsewhere, a password.
fn by_file(population: &mut Population, cluster: Handle) {
    population.add(
        ObjectSpec::new(BOOTSTRAP, "KubeadmConfig", "by-file")
            .label(CLUSTER_NAME, "plain")
            .owned_by(cluster)
            .spec(json!({
                "clusterConfiguration": {"etcd": {"external": {"endpoints": ["https://e:2379"],
                    "caFile": "/c",
                    "certFile": "/d", "keyFile": "/k"}}},
                "joinConfiguration": {"discovery": {"file": {"kubeConfigPath": "/f", "kubeConfig": {
                    "cluster": {"server": "https://s:6443", "tlsServerName": "t",
                        "insecureSkipTLSVerify": false,
                        "proxyURL": "http://p:1", "certificateAuthorityData": "YQ=="},
                    "user": {"exec": {"apiVersion": "client.authentication.k8s.io/v1",
                        "command": "c", "args": ["a"],
                        "env": [{"name": "A", "value": "1"}], "provideClusterInfo": true}}}}},
                    "nodeRegistration": {"taints": []}},
                "users": [{"name": "u", "passwd": "x"}],
            })),
    );
}

fn pool(population: &mut Population, cluster: Handle) {
    let reference = |api_version: &str, kind: &str| {
        json!({"apiVersion": api_version, "kind": kind, "name": "pool",
            "namespace": population.namespace()})
    };
    let pool = ObjectSpec::new(CORE, "MachinePool", "pool")
        .label(CLUSTER_NAME, "plain")
        .finalizer("machinepool.cluster.x-k8s.io")
        .owned_by(cluster)
        .spec(json!({
            "clusterName": "plain", "replicas": 2, "minReadySeconds": 0,
            "failureDomains": ["a", "b"],
            "providerIDList": ["docker:////pool-a"],
            "template": {"metadata": {"labels": {"pool": "p"}},
                "spec": {"clusterName": "plain", "version": KUBERNETES,
                "nodeDrainTimeout": "10s", "nodeDeletionTimeout": "10s",
                "bootstrap": {"configRef": reference(BOOTSTRAP, "KubeadmConfig")},
                "infrastructureRef": reference(DOCKER, "DockerMachinePool")}},
        }));
    let pool = population.add(pool);
    population.add(
        ObjectSpec::new(DOCKER, "DockerMachinePool", "pool")
            .label(CLUSTER_NAME, "plain")
            .controlled_by(pool)
            .spec(json!({"providerIDList": ["docker:////pool-a"], "template": {"customImage": "i",
                "extraMounts": [{"containerPath": "/a", "hostPath": "/a", "readOnly": false}]}})),
    );
    population.add(
        ObjectSpec::new(BOOTSTRAP, "KubeadmConfig", "pool")
            .label(CLUSTER_NAME, "plain")
            .controlled_by(pool)
            .spec(json!({"joinConfiguration": {"nodeRegistration": registration()}})),
    );
}

fn address(population: &mut Population, cluster: Handle) {
    let pool =
        json!({"apiGroup": "ipam.cluster.x-k8s.io", "kind": "InClusterIPPool", "name": "pool"});
    population.add(
        ObjectSpec::new(IPAM, "IPAddress", "plain")
            .label(CLUSTER_NAME, "plain")
            .finalizer("ipam.cluster.x-k8s.io/ProtectAddress")
            .owned_by(cluster)
            .spec(json!({"address": "10.0.0.7", "prefix": 24, "gateway": "10.0.0.1",
                "claimRef": {"name": "plain"}, "poolRef": pool})),
    );
}
