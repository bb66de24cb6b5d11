# shellcheck shell=bash
# The nine steps with Cilium, installed by real helm from its own chart as the plugin plans it; then that the network
# enforces policies between pods on different nodes.

# shellcheck source=create.sh
source "$lab/e2e/create.sh"

run_title="A pivot in the lab, with Cilium"
run_text="Written by \`just lab e2e cilium\`: \`kubectl pivot create --cni cilium\`, and then that policies are enforced. Cilium is built from
its Go module, the chart is the module's own, helm is real; the values that the lab needs are shown below. What else is a
stand-in is in [the README of the lab](../README.md)."
run_cni="Cilium $cilium_version, its chart ${cilium_version#v}"

run_it() {
    create_inputs
    cilium_inputs
    step 1 "Plugins" install_plugins
    step 2 "Create" create_with_cilium
    step 3 "Cilium in the target" look_at_cilium
    step 4 "Without a policy" without_policy
    step 5 "A NetworkPolicy" with_network_policy
    step 6 "A CiliumNetworkPolicy" with_cilium_policy
    step 7 "Afterwards: the target scales itself" scale_target
}

# One document for whatever network; what belongs to Cilium's chart is given beside it.
cilium_inputs() {
    cat >"$run/pivot.yaml" <<EOF
apiVersion: kubectl-pivot.io/v1alpha1
kind: Pivot
metadata:
  name: pivot
spec:
  infrastructure: docker
  kubernetesVersion: $kubernetes_version
  bootstrapImage: $node_image
  toKubeconfigOut: $target
  set:
    helm-addon: false
EOF
    cilium=(--cni cilium --cni-chart "$cilium_chart" --cni-values "$lab/manifests/cilium-values.yaml")
    create=(kubectl pivot create -f "$run/pivot.yaml" "${cilium[@]}")
}

create_with_cilium() {
    shown cat "$run/pivot.yaml" "$lab/manifests/cilium-values.yaml"
    create_pivot
}

look_at_cilium() {
    shown kubectl "${on_target[@]}" get nodes
    shown helm "${on_target[@]}" list --all-namespaces
    awaited "the agents are ready" 300 kubectl "${on_target[@]}" --namespace kube-system rollout status daemonset/cilium --timeout=2s
    awaited "the operator is ready" 120 kubectl "${on_target[@]}" --namespace kube-system rollout status deployment/cilium-operator --timeout=2s
    shown kubectl "${on_target[@]}" --namespace kube-system get pods --output wide
    shown kubectl "${on_target[@]}" --namespace kube-system exec daemonset/cilium --container cilium-agent -- cilium-dbg status --brief
}

without_policy() {
    sed "s#AGENT_IMAGE#quay.io/cilium/cilium:$cilium_version#" "$lab/manifests/policy-pods.yaml" >"$run/policy-pods.yaml"
    shown kubectl "${on_target[@]}" apply -f "$run/policy-pods.yaml"
    awaited "the pods are ready" 300 kubectl "${on_target[@]}" wait pod --all --for=condition=Ready --timeout=2s
    shown kubectl "${on_target[@]}" get pods --output wide
    awaited_here "client reaches web" 60 curl_from client 8080
    allowed client 8080
    allowed stranger 8080
}

with_network_policy() {
    shown kubectl "${on_target[@]}" apply -f "$lab/manifests/network-policy.yaml"
    awaited_here "stranger is refused" 60 is_refused stranger 8080
    allowed client 8080
    refused stranger 8080
    shown kubectl "${on_target[@]}" delete -f "$lab/manifests/network-policy.yaml"
    awaited_here "stranger is let through again" 60 curl_from stranger 8080
}

with_cilium_policy() {
    shown kubectl "${on_target[@]}" apply -f "$lab/manifests/cilium-policy.yaml"
    awaited_here "stranger is refused" 60 is_refused stranger 8080
    allowed client 8080
    refused client 8081
    refused stranger 8080
    shown kubectl "${on_target[@]}" delete -f "$lab/manifests/cilium-policy.yaml" -f "$run/policy-pods.yaml"
}

# The words of a request from pod $1 to port $2 of `web`, by the name of its Service.
request() {
    printf '%s\n' kubectl "${on_target[@]}" exec "$1" -- curl --silent --show-error --max-time 3 "http://web:$2/"
}

curl_from() {
    local words
    mapfile -t words < <(request "$@")
    in_lab "${words[@]}"
}

# curl: 28 is its time-out, as when packets are dropped.
is_refused() {
    local code=0
    curl_from "$@" || code=$?
    ((code == 28))
}

allowed() {
    local words
    mapfile -t words < <(request "$@")
    shown "${words[@]}"
}

refused() {
    local words
    mapfile -t words < <(request "$@")
    shown_failing 28 "${words[@]}"
}
