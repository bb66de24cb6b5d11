# shellcheck shell=bash
# The nine steps as a person does them, with the waits between them, but for step 7, which is `kubectl pivot move`.
# `create.sh` has them as one command.

run_title="A pivot in the lab, by hand"
run_text="Written by \`just lab e2e\`: the nine steps as a person does them, each with the waits that it needs. Everything is real but
what [the README of the lab](../README.md) names as a stand-in. Step 2 leaves the Helm add-on provider out; step 7 is
\`kubectl pivot move\` in place of \`clusterctl move\`; step 8 is \`kubectl pivot verify\`, and after it the target scales itself."

run_it() {
    write_inputs
    nine_steps
    step 10 "Afterwards: the target scales itself" scale_target
}

nine_steps() {
    step 1 "Bootstrap cluster" bootstrap_cluster
    step 2 "Providers in the bootstrap cluster" providers_in_bootstrap
    step 3 "Apply the cluster" apply_cluster
    step 4 "Kubeconfig of the target" target_kubeconfig
    step 5 "CNI of the target" install_cni
    step 6 "Providers in the target" providers_in_target
    step 7 "Move" move_clusters
    step 8 "Verify" verify_move
    step 9 "Delete the bootstrap cluster" delete_bootstrap
}

# What `verify` is given more.
verify=()

# kind's configuration of step 1, and what the docker plugin renders for the cluster of step 3.
write_inputs() {
    cat >"$run/kind.yaml" <<EOF
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking:
  ipFamily: dual
nodes:
  - role: control-plane
    extraMounts:
      - hostPath: /var/run/docker.sock
        containerPath: /var/run/docker.sock
EOF
    jq --arg version "$kubernetes_version" '{apiVersion: "v1", kind: "List", items: .} |
        (.items[].spec | .version?, .template?.spec?.version? | select(. != null)) = $version' \
        "$project/plugins/docker/tests/pivot-v1beta2.json" >"$run/pivot-cluster.json"
}

bootstrap_cluster() {
    shown kind create cluster --name bootstrap --config "$run/kind.yaml" --image "$node_image" --wait 180s
}

providers_in_bootstrap() {
    shown clusterctl init --infrastructure docker --wait-providers
    awaited "webhooks answer" 120 kubectl apply --dry-run=server -f "$run/pivot-cluster.json"
}

apply_cluster() {
    shown kubectl apply -f "$run/pivot-cluster.json"
}

target_kubeconfig() {
    awaited "the control plane is initialized" 600 kubectl wait cluster/pivot --for=condition=ControlPlaneInitialized --timeout=2s
    printf '$ clusterctl get kubeconfig pivot > LAB/run/pivot.kubeconfig\n' >>"$transcript/text"
    (umask 077 && in_lab clusterctl get kubeconfig pivot >"$target")
    awaited "the target's API server answers" 120 kubectl "${on_target[@]}" get --raw /readyz
}

install_cni() {
    sed "s#KINDNET_IMAGE#$kindnet_image#" "$lab/manifests/kindnet.yaml" >"$run/kindnet.yaml"
    shown kubectl "${on_target[@]}" apply -f "$run/kindnet.yaml"
    awaited "two nodes are ready" 600 kubectl "${on_target[@]}" wait node --all --for=condition=Ready --timeout=2s
    awaited "every Machine has a node" 300 kubectl wait machine --all --for=jsonpath='{.status.nodeRef.name}' --timeout=2s
    shown kubectl "${on_target[@]}" get nodes
}

providers_in_target() {
    shown clusterctl "${on_target[@]}" init --infrastructure docker --wait-providers
    awaited "webhooks answer" 120 kubectl "${on_target[@]}" apply --dry-run=server -f "$run/pivot-cluster.json"
    awaited "the Cluster is available" 300 kubectl wait cluster/pivot --for=condition=Available --timeout=2s
}

move_clusters() {
    in_lab kubectl get machines -o json | machine_identities >"$run/machines.before"
    shown kubectl pivot move --namespace default --to-kubeconfig "$target" --yes
}

verify_move() {
    awaited "the target's controllers have the Cluster available" 300 \
        kubectl "${on_target[@]}" wait cluster/pivot --for=condition=Available --timeout=2s
    shown kubectl pivot verify --namespace default --to-kubeconfig "$target" "${verify[@]}"
    shown kubectl get clusters
    shown kubectl "${on_target[@]}" get clusters,machines
    target_machines >"$run/machines.after"
    diff "$run/machines.before" "$run/machines.after" >&2 || die "Machines are not those from before the move"
    echo "# the Machines and their nodes are those from before the move" >>"$transcript/text"
}

delete_bootstrap() {
    shown kind delete cluster --name bootstrap
}
