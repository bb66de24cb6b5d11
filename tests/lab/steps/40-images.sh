# shellcheck shell=bash
# Images of the control plane and of the providers, under the names that kubeadm, kind and the providers' manifests
# have for them. Behind a name is what this lab has built; etcd is the version that the sandbox uses too.

title="Images of Kubernetes, Cluster API and cert-manager"

capi_image() {
    echo "registry.k8s.io/cluster-api/$1-controller:$capi_version"
}

docker_manager_image=gcr.io/k8s-staging-cluster-api/capd-manager:$capd_version
helm_addon_image=registry.k8s.io/cluster-api-helm/cluster-api-helm-controller:$helm_addon_version

# The programs that are in images here.
imaged=(kube-apiserver kube-controller-manager kube-scheduler kube-proxy etcd pause coredns kindnetd
    core-manager kubeadm-bootstrap-manager kubeadm-control-plane-manager docker-manager helm-addon-manager
    cert-manager)

images_key() {
    local name parts=("$lab/steps/40-images.sh" "$lab/lib/image.sh" "$kubernetes_version $etcd_tag $coredns_tag $pause_tag"
        "$kindnet_image $capi_version $capd_version $helm_addon_version $cert_manager_version" "$(<"$roots/base/.key")")
    for name in "${imaged[@]}"; do
        parts+=("$(readlink "$programs/$name")")
    done
    key_of "${parts[@]}"
}

is_done() {
    [[ -e $images/.key && $(<"$images/.key") == "$(images_key)" ]]
}

make_it() {
    rm -rf "$images"/in-progress-* # of one that was interrupted
    control_plane_images
    provider_images
    cert_manager_images
    rm -rf "$images/roots"
    images_key >"$images/.key"
}

control_plane_images() {
    local name
    for name in kube-apiserver kube-controller-manager kube-scheduler; do
        program_image "$name" "/usr/local/bin/$name" "$(entry "/usr/local/bin/$name")" "registry.k8s.io/$name:$kubernetes_version"
    done
    program_image etcd /usr/local/bin/etcd "$(entry /usr/local/bin/etcd)" "registry.k8s.io/etcd:$etcd_tag"
    program_image pause /pause "$(entry /pause)" "registry.k8s.io/pause:$pause_tag" registry.k8s.io/pause:3.10
    program_image coredns /coredns "$(entry /coredns)" "registry.k8s.io/coredns/coredns:$coredns_tag"
    program_image kindnetd /usr/local/bin/kindnetd "$(entry /usr/local/bin/kindnetd)" "$kindnet_image"
    kube_proxy_image
}

provider_images() {
    manager_image core-manager 65532 "$(capi_image cluster-api)"
    manager_image kubeadm-bootstrap-manager 65532 "$(capi_image kubeadm-bootstrap)"
    manager_image kubeadm-control-plane-manager 65532 "$(capi_image kubeadm-control-plane)"
    manager_image docker-manager 0 "$docker_manager_image"
    manager_image helm-addon-manager 65532 "$helm_addon_image"
}

# manager_image PROGRAM USER REFERENCE
manager_image() {
    program_image "$1" /manager "$(entry /manager | jq --arg user "$2" '.User = $user')" "$3"
}

# One program of ours, three images: which part it plays is its first argument.
cert_manager_images() {
    local part folder
    folder=$(scaffold cert-manager)
    install -m 755 "$programs/cert-manager" "$folder/cert-manager"
    for part in controller cainjector webhook; do
        pack_image "$folder" "$images/cert-manager-$part.tar" \
            "$(entry /cert-manager "$part" | jq '.User = "65532"')" "quay.io/jetstack/cert-manager-$part:$cert_manager_version"
    done
}

# kube-proxy calls iptables, whose matches and targets are shared libraries with needs of their own.
kube_proxy_image() {
    local folder base=$roots/base name extensions
    folder=$(scaffold kube-proxy)
    install -m 755 "$programs/kube-proxy" "$folder/usr/local/bin/"
    merge_usr "$folder"
    extensions=("$base"/usr/lib/x86_64-linux-gnu/xtables/*.so)
    copy_with_libraries "$base" "$folder" /usr/sbin/{xtables-nft-multi,xtables-legacy-multi,nft,conntrack} \
        "${extensions[@]#"$base"}"
    for name in iptables ip6tables iptables-save iptables-restore ip6tables-save ip6tables-restore; do
        ln -s xtables-nft-multi "$folder/usr/sbin/$name"
    done
    chroot "$folder" /usr/sbin/iptables --version
    pack_image "$folder" "$images/kube-proxy.tar" "$(entry /usr/local/bin/kube-proxy)" "registry.k8s.io/kube-proxy:$kubernetes_version"
}
