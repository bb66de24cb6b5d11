# shellcheck shell=bash
# The nine steps as one command, `kubectl pivot create`, and that the target then manages itself.

run_title="A pivot in the lab, by \`kubectl pivot create\`"
run_text="Written by \`just lab e2e create\`: all nine steps by one command. Everything is real but what
[the README of the lab](../README.md) names as a stand-in. The Helm add-on provider is left out. The same by hand, in the
same lab: [by-hand.md](by-hand.md)."

run_it() {
    create_inputs
    step 1 "Plugins" install_plugins
    step 2 "Create" create_pivot
    step 3 "Afterwards: the target scales itself" scale_created
}

create_inputs() {
    sed "s#KINDNET_IMAGE#$kindnet_image#" "$lab/manifests/kindnet.yaml" >"$run/kindnet.yaml"
    create=(kubectl pivot create pivot --infrastructure docker --cni none --cni-manifest "$run/kindnet.yaml"
        --kubernetes-version "$kubernetes_version" --bootstrap-image "$node_image" --set helm-addon=false
        --to-kubeconfig-out "$target")
    forget_run
}

# The run before, whose clusters are gone.
forget_run() {
    rm -rf "$run/home/.local/state/kubectl-pivot/runs/pivot" "$target"
}

install_plugins() {
    shown kubectl pivot plugin install "$bin"/plugins/*.so
}

create_pivot() {
    shown "${create[@]}"
    bootstrap_is_gone
}

scale_created() {
    shown kubectl "${on_target[@]}" get clusters,machines
    scale_target
}
