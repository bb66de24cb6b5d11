# shellcheck shell=bash
# Another network than Cilium, by one flag over the same document, and its image cannot be pulled at first: `create` has
# to give up in time and say what it saw last and what to do. Once the network is mended, it goes on to the end.

# shellcheck source=cilium.sh
source "$lab/e2e/cilium.sh"

run_title="A pivot in the lab, another network by one flag, broken at first"
run_text="Written by \`just lab e2e cni-broken\`: the document of the run with Cilium ([cilium.md](cilium.md)), and another network by one
flag. Its image cannot be pulled at first: \`kubectl pivot create\` gives up after \`--timeout\` and keeps everything; once the
network is mended, \`resume\` goes on to the end."
run_cni="kindnetd of the lab"

run_it() {
    create_inputs
    cilium_inputs
    create=(kubectl pivot create -f "$run/pivot.yaml" --cni none --cni-manifest "$run/kindnet.yaml")
    step 1 "Plugins" install_plugins
    step 2 "What differs from Cilium" compare_outlines
    step 3 "Create, with an image that is nowhere" create_broken
    step 4 "How far it is" show_status
    step 5 "Mend the network and go on" go_on
    step 6 "The network in the target" look_at_network
}

# What `create` would do with each network, by the steps that differ.
compare_outlines() {
    shown cat "$run/pivot.yaml"
    outline cilium kubectl pivot create -f "$run/pivot.yaml" --cni cilium
    outline other "${create[@]}"
    jq -rn --slurpfile cilium "$run/outline.cilium" --slurpfile other "$run/outline.other" \
        '[$cilium[0].steps, $other[0].steps] | transpose[] | select(.[0] != .[1]) | .[0].step' >"$run/outline.differs"
    {
        echo "# steps that differ:"
        cat "$run/outline.differs"
    } | tee -a "$transcript/text" >&2
    grep -qx network "$run/outline.differs" || die "the networks do not differ"
    if grep -vx -e network -e preflight "$run/outline.differs" >&2; then
        die "more than the network differs"
    fi
}

outline() {
    local name=$1
    shift
    printf '$ %s --dry-run -o json > LAB/run/outline.%s\n' "$*" "$name" | clean >>"$transcript/text"
    in_lab "$@" --dry-run -o json >"$run/outline.$name"
}

create_broken() {
    cp "$run/kindnet.yaml" "$run/works.yaml"
    sed -i "s#image: .*#image: registry.example/kindnetd:missing#" "$run/kindnet.yaml"
    # The control plane needs more than a minute; no wait gets much more.
    shown_failing 6 "${create[@]}" --timeout 150
    said "0 of 2 nodes are Ready"
    said "cni plugin not initialized"
    said "ErrImagePull\|ImagePullBackOff"
    said "registry.example/kindnetd:missing"
    said "kubectl pivot resume pivot"
}

# What the user has to be told.
said() {
    grep -q -- "$1" "$transcript/output" || die "the message does not say: $1"
}

show_status() {
    shown kubectl pivot status pivot
}

go_on() {
    cp "$run/works.yaml" "$run/kindnet.yaml"
    echo "# the manifest of the network is mended" >>"$transcript/text"
    shown kubectl pivot resume pivot
    bootstrap_is_gone
}

look_at_network() {
    shown kubectl "${on_target[@]}" --namespace kube-system get daemonsets
    shown kubectl "${on_target[@]}" get nodes
    shown kubectl "${on_target[@]}" get clusters,machines
}
