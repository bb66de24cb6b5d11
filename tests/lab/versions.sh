# shellcheck shell=bash disable=SC2034
# Versions of what the lab is made of, in one place. Versions of Go modules are pinned in `modules/*/go.mod`,
# `programs/*/go.mod` and `crates/sandbox/parts/*/go.mod`; the ones below are read from there.

debian=bookworm

# The version of MODULE that the go.mod in FOLDER pins.
pinned() {
    awk -v module="$2" '$1 == "require" { $1 = $2; $2 = $3 } $1 == module { print $2; exit }' "$1/go.mod"
}

kubernetes_version=$(pinned "$lab/modules/kubernetes" k8s.io/kubernetes)
containerd_version=$(pinned "$lab/modules/containerd" github.com/containerd/containerd/v2)
kind_version=$(pinned "$lab/modules/kind" sigs.k8s.io/kind)
helm_version=$(pinned "$project/crates/sandbox/parts/helm" helm.sh/helm/v3)
capi_version=$(pinned "$project/crates/sandbox/parts/cluster-api" sigs.k8s.io/cluster-api)
capd_version=$(pinned "$project/crates/sandbox/parts/cluster-api" sigs.k8s.io/cluster-api/test)
helm_addon_version=$(pinned "$project/tests/modules/helm-addon" sigs.k8s.io/cluster-api-addon-provider-helm)
etcd_version=$(pinned "$project/crates/sandbox/parts/etcd" go.etcd.io/etcd/server/v3)
cilium_version=$(pinned "$lab/modules/cilium" github.com/cilium/cilium)
cert_manager_version=$(pinned "$lab/programs/cert-manager" github.com/cert-manager/cert-manager)

# Tags that kubeadm of this Kubernetes version asks for (`kubeadm config images list`), whatever is behind them.
etcd_tag=3.6.8-0
coredns_tag=v1.14.2
pause_tag=3.10.2
# Images that kind and the Docker provider ask for by name.
kindnet_image=docker.io/kindest/kindnetd:v20260820-69b56db7
haproxy_image=kindest/haproxy:v20230606-42a2262b
node_image=kindest/node:$kubernetes_version
# Where helm finds the chart.
cilium_chart=$cache/charts/cilium-${cilium_version#v}.tgz
