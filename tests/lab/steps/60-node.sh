# shellcheck shell=bash
# The node image, of which kind and the Docker provider make their machines: the root file system, the programs of a
# node, and all images in containerd's store, so that a node never has to pull.

title="Node image"

node_key() {
    local archive parts=("$lab/steps/60-node.sh" "$lab/manifests" "$lab/node" "$(<"$roots/base/.key")" "$(<"$images/.key")"
        "$(<"$images/cilium.key")")
    for archive in kubelet kubeadm kubectl containerd ctr containerd-shim-runc-v2 crictl host-local loopback ptp portmap; do
        parts+=("$(readlink "$programs/$archive")")
    done
    key_of "${parts[@]}"
}

is_done() {
    local label
    label=$(docker_here image inspect --format '{{index .Config.Labels "kubectl-pivot.lab"}}' "$node_image" 2>/dev/null) || return 1
    [[ $label == "$(node_key)" ]]
}

make_it() {
    node_root
    pack_image "$roots/node" "$images/node-root.tar" '{"StopSignal": "SIGRTMIN+3", "Env": ["container=docker"]}' lab/node-root:1
    docker_here load --input "$images/node-root.tar"
    rm -rf "$roots/node" "$images/node-root.tar"
    store_images
    docker_here image rm lab/node-root:1 >/dev/null
    docker_here load --input "$images/balancer.tar"
}

node_root() {
    local root=$roots/node
    rm -rf "$root"
    cp -a "$roots/base" "$root"
    install -m 755 "$programs"/{kubelet,kubeadm,kubectl} "$root/usr/bin/"
    install -m 755 "$programs"/{containerd,ctr,containerd-shim-runc-v2,crictl} "$root/usr/local/bin/"
    install -m 755 "$programs"/{host-local,loopback,ptp,portmap} "$root/opt/cni/bin/"
    container_defaults "$root"
    install -m 755 "$lab/node/keep-machine-settings" "$root/usr/local/bin/"
    install -m 644 "$lab/node/keep-machine-settings.service" "$root/etc/systemd/system/"
    systemctl --root="$root" enable keep-machine-settings.service
    kubelet_flags >"$root/etc/default/kubelet"
    # These settings are the machine's and not a node's.
    rm "$root"/usr/lib/sysctl.d/{50-pid-max,99-protect-links}.conf
    # A new network namespace does not forward, whatever the host does.
    echo net.ipv4.ip_forward=1 >"$root/etc/sysctl.d/50-lab.conf"
    printf '%s' "$kubernetes_version" >"$root/kind/version"
    mkdir -p "$root/kind/manifests"
    sed "s#KINDNET_IMAGE#$kindnet_image#" "$lab/manifests/kindnet.yaml" >"$root/kind/manifests/default-cni.yaml"
    cp "$lab/manifests/storage.yaml" "$root/kind/manifests/default-storage.yaml"
}

# Nodes share the machine's disk, however full it is: images, which cannot be pulled again, stay. That nothing is evicted, kind
# and the plugin docker say themselves.
kubelet_flags() {
    local flags=(--runtime-cgroups=/system.slice/containerd.service --fail-cgroupv1=false
        --image-gc-high-threshold=100 --image-gc-low-threshold=99)
    echo "KUBELET_EXTRA_ARGS=${flags[*]}"
}

# What containers in a node begin with: kind's hook, no limits of their own.
container_defaults() {
    local hook='{"path": "/kind/bin/mount-product-files.sh"}'
    "$programs/ctr" oci spec | jq --argjson hook "$hook" '.hooks.createContainer += [$hook] | del(.process.rlimits)' \
        >"$1/etc/containerd/cri-base.json"
    # Without CAP_SYS_RESOURCE the score of a process can be raised only.
    if ! grep -q 'restrict_oom_score_adj = false' "$1/etc/containerd/config.toml"; then
        echo "kind's containerd configuration has changed" >&2
        return 1
    fi
    sed -i 's/restrict_oom_score_adj = false/restrict_oom_score_adj = true/' "$1/etc/containerd/config.toml"
}

# Runs containerd once in a container of the image, imports, and keeps the result.
store_images() {
    local archive
    builder=$(docker_here run --detach --privileged --stop-signal SIGRTMIN+3 --entrypoint sleep lab/node-root:1 infinity)
    trap 'docker_here rm --force --volumes "$builder"' EXIT
    docker_here exec --detach "$builder" sh -c 'echo $$ >/containerd.pid; exec containerd'
    wait_for "containerd in the node image" 60 docker_here exec "$builder" ctr version
    for archive in "$images"/*.tar; do
        [[ $archive == */balancer.tar || $archive == */node-root.tar ]] && continue
        echo "import $archive"
        docker_here exec --interactive "$builder" ctr --namespace k8s.io images import --all-platforms --no-unpack --digests - <"$archive"
    done
    docker_here exec "$builder" sh -c 'read pid </containerd.pid; kill $pid
        while [ -e /proc/$pid ]; do sleep 0.1; done; rm -rf /run/containerd /containerd.pid'
    docker_here commit --change 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]' \
        --change "LABEL kubectl-pivot.lab=$(node_key)" "$builder" "$node_image"
    docker_here rm --force --volumes "$builder" >/dev/null
    trap - EXIT
}
