# shellcheck shell=bash
# Every program of the lab, from Go modules: Kubernetes, containerd, etcd, CoreDNS, CNI plugins, Cluster API and its
# add-on provider for Helm, kind, helm, cert-manager, and our own stand-ins. Cold about 12 minutes on two cores.

title="Programs from Go modules"

# name, module folder, package, version stamps, build tags
program_table() {
    local kube=$lab/modules/kubernetes capi=$project/crates/sandbox/parts/cluster-api name
    local kube_stamps capi_stamps ctrd=github.com/containerd/containerd/v2 addon=sigs.k8s.io/cluster-api-addon-provider-helm
    kube_stamps=$(version_stamps "$kubernetes_version" k8s.io/component-base/version k8s.io/client-go/pkg/version)
    capi_stamps=$(version_stamps "$capi_version" sigs.k8s.io/cluster-api/version)
    row() { printf '%s|' "$@"; echo; }
    row core-manager "$capi" sigs.k8s.io/cluster-api/core "$capi_stamps"
    row kubeadm-bootstrap-manager "$capi" sigs.k8s.io/cluster-api/bootstrap/kubeadm "$capi_stamps"
    row kubeadm-control-plane-manager "$capi" sigs.k8s.io/cluster-api/controlplane/kubeadm "$capi_stamps"
    row docker-manager "$capi" sigs.k8s.io/cluster-api/test/infrastructure/docker "$capi_stamps"
    row helm-addon-manager "$project/tests/modules/helm-addon" "$addon" "$(version_stamps "$helm_addon_version" "$addon/version")"
    row clusterctl "$capi" sigs.k8s.io/cluster-api/cmd/clusterctl "$capi_stamps"
    row kind "$lab/modules/kind" sigs.k8s.io/kind
    for name in containerd ctr containerd-shim-runc-v2; do
        row "$name" "$lab/modules/containerd" "$ctrd/cmd/$name" \
            " -X $ctrd/version.Version=$containerd_version" no_aufs,no_zfs,no_btrfs,no_devmapper
    done
    for name in ipam/host-local main/loopback main/ptp meta/portmap; do
        row "${name#*/}" "$lab/modules/cni-plugins" "github.com/containernetworking/plugins/plugins/$name"
    done
    for name in kubeadm kubelet kube-apiserver kubectl kube-controller-manager kube-scheduler kube-proxy; do
        row "$name" "$kube" "k8s.io/kubernetes/cmd/$name" "$kube_stamps"
    done
    row etcd "$project/crates/sandbox/parts/etcd" go.etcd.io/etcd/server/v3
    row coredns "$lab/modules/coredns" github.com/coredns/coredns
    row helm "$project/crates/sandbox/parts/helm" helm.sh/helm/v3/cmd/helm \
        " -X helm.sh/helm/v3/internal/version.version=$helm_version"
    for name in cert-manager crictl kindnetd pause; do
        row "$name" "$lab/programs/$name" .
    done
}

each_program() {
    local name module package stamps tags rest
    while IFS='|' read -r name module package stamps tags rest; do
        "$1" "$name" "$module" "$package" "$stamps" "$tags" || return
    done < <(program_table)
}

is_built() {
    [[ -x $(program_path "$@") && $(readlink "$programs/$1") == "$(program_path "$@")" ]]
}

is_done() {
    each_program is_built
}

make_it() {
    each_program build
    local name
    for name in kind clusterctl helm kubectl; do
        ln -sfn "$programs/$name" "$bin/$name"
    done
}
