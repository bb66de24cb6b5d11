# shellcheck shell=bash
# The manifest of the nine steps, word for word but for the version, through `kubectl pivot create --cluster-manifest`; and the way
# back, `kubectl pivot delete`.

# shellcheck source=create.sh
source "$lab/e2e/create.sh"

run_title="A pivot in the lab and its way back"
run_text="Written by \`just lab e2e delete\`: the manifest of the nine steps ([nine-steps.yaml](../manifests/nine-steps.yaml)), word for word but
for the version of Kubernetes, is given to \`kubectl pivot create --cluster-manifest\`; then \`kubectl pivot delete\` removes what was
created, through its controllers. Everything is real but what [the README of the lab](../README.md) names as a stand-in."

run_it() {
    create_inputs
    seed_inputs
    step 1 "Plugins" install_plugins
    step 2 "Create with the manifest of the nine steps" create_pivot
    step 3 "What is there" show_machines
    step 4 "Delete" delete_pivot
    step 5 "Nothing is left" nothing_is_left
}

seed_inputs() {
    sed "s/^\( *version: \)v1.33.0$/\1$kubernetes_version/" "$lab/manifests/nine-steps.yaml" >"$run/nine-steps.yaml"
    create=(kubectl pivot create pivot --infrastructure docker --cluster-manifest "$run/nine-steps.yaml" --cni none
        --cni-manifest "$run/kindnet.yaml" --bootstrap-image "$node_image" --set helm-addon=false --to-kubeconfig-out "$target")
}

show_machines() {
    shown kubectl "${on_target[@]}" get clusters,machines
    shown docker ps --format '{{.Names}}'
}

delete_pivot() {
    rm -rf "$run/home/.local/state/kubectl-pivot/deletions/pivot"
    shown kubectl pivot delete pivot --kubeconfig "$target" --bootstrap-image "$node_image" --dry-run
    shown kubectl pivot delete pivot --kubeconfig "$target" --bootstrap-image "$node_image" --yes
}

nothing_is_left() {
    shown kind get clusters
    shown docker ps --all --format '{{.Names}}'
    [[ -z $(docker_here ps --all --quiet) ]] || die "containers are left" "see docker ps --all"
}
