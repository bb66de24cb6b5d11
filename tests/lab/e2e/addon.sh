# shellcheck shell=bash
# The network by the real Helm add-on provider, in both clusters. The move has to leave the release alone: the provider
# of the bootstrap cluster would uninstall what it loses, the one of the target would install what it misses. Then the
# target's provider has to keep the release.

# shellcheck source=create.sh
source "$lab/e2e/create.sh"

run_title="A pivot in the lab, its network by the Helm add-on provider"
run_text="Written by \`just lab e2e addon\`: \`kubectl pivot create --cni cilium --cni-via addon\`. The add-on provider is built from its Go module,
its manifests are the module's own, and it runs in both clusters; both get Cilium's chart from a repository in the lab. After
the move the release has to be the one from before, and the target's own provider has to keep it. What is a stand-in is in
[the README of the lab](../README.md)."
run_cni="Cilium $cilium_version, its chart ${cilium_version#v}"
run_addon=$helm_addon_version

chart_port=8879

run_it() {
    create_inputs
    addon_inputs
    trap end_background EXIT
    step 1 "Plugins" install_plugins
    step 2 "A chart repository" chart_repository
    step 3 "Create" create_by_addon
    step 4 "The bootstrap cluster is gone" look_for_bootstrap
    step 5 "The proxies in the target" look_at_proxies
    step 6 "The release is the one from before the move" compare_release
    step 7 "Another value in the target" change_value
    step 8 "Afterwards: the target scales itself" scale_target
}

# The address of the machine in the lab's network: nodes have routes to it, and so have pods.
addon_inputs() {
    charts=$run/chart-repository
    chart_address=$(docker_here network inspect bridge --format '{{(index .IPAM.Config 0).Gateway}}')
    [[ -n $chart_address ]] || die "Docker's bridge has no address"
    chart_url=http://$chart_address:$chart_port
    create=(kubectl pivot create pivot --infrastructure docker --cni cilium --cni-via addon
        --cni-repo "$chart_url" --set "chart-version=${cilium_version#v}" --cni-values "$lab/manifests/cilium-values.yaml"
        --kubernetes-version "$kubernetes_version" --bootstrap-image "$node_image" --to-kubeconfig-out "$target")
}

# What goes on beside the steps, each with its children: it has to end with the run, however that ends.
background=()

end_background() {
    local pid children
    for pid in "${background[@]}"; do
        mapfile -t children < <(pgrep --parent "$pid")
        kill "$pid" "${children[@]}" 2>/dev/null || true
    done
}

chart_repository() {
    local server=(python3 -m http.server "$chart_port" --bind "$chart_address" --directory "$charts")
    rm -rf "$charts"
    mkdir "$charts"
    cp "$cilium_chart" "$charts/"
    shown helm repo index "$charts" --url "$chart_url"
    printf '$ %s &\n' "${server[*]}" | clean >>"$transcript/text"
    in_lab "${server[@]}" >"$logs/chart-repository.log" 2>&1 </dev/null &
    background+=($!)
    awaited "the chart can be had" 20 helm show chart cilium --repo "$chart_url" --version "${cilium_version#v}"
}

create_by_addon() {
    remember_release &
    background+=($!)
    create_pivot
}

# As soon as the release is there, which is long before the move.
remember_release() {
    until release >"$run/release.before" 2>/dev/null; do
        sleep 1
    done
}

# Kind, name, uid and creation of what is new when a release is installed again.
release() {
    in_lab kubectl "${on_target[@]}" --request-timeout 5s --namespace kube-system get secret/sh.helm.release.v1.cilium.v1 \
        daemonset/cilium -o json </dev/null | jq -r '.items[] | "\(.kind) \(.metadata | "\(.name) \(.uid) \(.creationTimestamp)")"'
}

look_for_bootstrap() {
    shown kind get clusters
    shown docker ps --format '{{.Names}}'
    bootstrap_is_gone
    ! grep -q bootstrap "$transcript/output" || die "something of the bootstrap cluster is still there"
}

# Objects of the target are created by the move, so it began no later than this.
moved_at() {
    in_lab kubectl "${on_target[@]}" get cluster pivot -o jsonpath='{.metadata.creationTimestamp}'
}

look_at_proxies() {
    moved=$(moved_at)
    awaited_here "one HelmChartProxy and one HelmReleaseProxy are Ready, by the target's provider" 300 proxies_are_ready
    shown kubectl "${on_target[@]}" get providers --all-namespaces
    shown kubectl "${on_target[@]}" get helmchartproxies,helmreleaseproxies
}

# A status does not move: what is there now was said by the target's provider.
proxies_are_ready() {
    in_lab kubectl "${on_target[@]}" get helmchartproxies,helmreleaseproxies -o json | jq -e --arg moved "$moved" '
        (.items | map(.kind) | sort) == ["HelmChartProxy", "HelmReleaseProxy"] and
        all(.items[]; .status.observedGeneration == .metadata.generation and
            any(.status.conditions[]; .type == "Ready" and .status == "True" and .lastTransitionTime >= $moved))'
}

compare_release() {
    shown helm "${on_target[@]}" --namespace kube-system history cilium
    release_is_at 1 >/dev/null || die "the release is not at revision 1"
    release >"$run/release.after" || die "the release or its DaemonSet is not there"
    diff "$run/release.before" "$run/release.after" >&2 || die "the release was installed again"
    awk -v moved="$moved" '$4 >= moved { exit 1 }' "$run/release.after" || die "the release is not older than the move"
    {
        printf '# the Cluster is in the target since %s; older, and the same as before the move:\n' "$moved"
        cat "$run/release.after"
    } | tee -a "$transcript/text" >&2
}

# As helm has it, and as the provider says.
release_is_at() {
    in_lab helm "${on_target[@]}" --namespace kube-system history cilium -o json |
        jq -e --argjson revision "$1" 'map(.revision) == [range(1; $revision + 1)] and last.status == "deployed"' &&
        in_lab kubectl "${on_target[@]}" get helmreleaseproxies -o json |
        jq -e --argjson revision "$1" '[.items[].status.revision] == [$revision]'
}

# The target's provider is the only one that is left to see it.
change_value() {
    local values changed
    values=$(in_lab kubectl "${on_target[@]}" get helmchartproxy pivot-cni -o jsonpath='{.spec.valuesTemplate}')
    changed=${values/replicas: 1/replicas: 2}
    [[ $changed != "$values" ]] || die "the values do not have one replica of the operator"
    jq -n --arg values "$changed" '{spec: {valuesTemplate: $values}}' >"$run/values.json"
    echo "# in the values: two replicas of Cilium's operator" >>"$transcript/text"
    shown kubectl "${on_target[@]}" patch helmchartproxy pivot-cni --type merge --patch-file "$run/values.json"
    awaited_here "the release is at revision 2" 300 release_is_at 2
    awaited "there are two operators" 300 kubectl "${on_target[@]}" --namespace kube-system wait deployment/cilium-operator \
        --for=jsonpath='{.status.readyReplicas}'=2 --timeout=2s
    shown helm "${on_target[@]}" --namespace kube-system history cilium
    shown kubectl "${on_target[@]}" --namespace kube-system get deployment/cilium-operator
    awaited_here "both proxies are Ready" 120 proxies_are_ready
}
