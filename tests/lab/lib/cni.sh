# shellcheck shell=bash
# The CNI that a run uses: $cni is kindnet, the lab's small one, or cilium, the real one.

cni_version() {
    case $cni in
    kindnet) echo "the lab's small kindnetd" ;;
    cilium) echo "Cilium $cilium_version" ;;
    esac
}

# Installs it in the cluster of `on_target`, as a person would.
install_kindnet() {
    sed "s#KINDNET_IMAGE#$kindnet_image#" "$lab/manifests/kindnet.yaml" >"$run/kindnet.yaml"
    shown kubectl "${on_target[@]}" apply -f "$run/kindnet.yaml"
}

install_cilium() {
    shown helm "${on_target[@]}" install cilium "$cache/cilium/chart" --namespace kube-system --values "$lab/manifests/cilium-values.yaml"
}
