# shellcheck shell=bash
# The target of a run: the cluster that manages itself in the end.

target=$run/pivot.kubeconfig
on_target=(--kubeconfig "$target")

# Name, node and provider id of each Machine of a list; uids are new in the target.
machine_identities() {
    jq -r '.items[] | "\(.metadata.name) \(.status.nodeRef.name) \(.spec.providerID)"' | sort
}

target_machines() {
    in_lab kubectl "${on_target[@]}" get machines -o json | machine_identities
}

# Its own controllers, its own Docker socket: nothing of the bootstrap cluster is left to do this.
scale_target() {
    target_machines >"$run/machines.unscaled"
    shown kubectl "${on_target[@]}" scale machinedeployment worker-md-0 --replicas 2
    awaited "two workers are available" 600 kubectl "${on_target[@]}" wait machinedeployment/worker-md-0 \
        --for=jsonpath='{.status.availableReplicas}'=2 --timeout=2s
    shown kubectl "${on_target[@]}" get machines
    target_machines >"$run/machines.scaled"
    if comm -23 "$run/machines.unscaled" "$run/machines.scaled" | grep . >&2; then
        die "a Machine was replaced"
    fi
    echo "# the Machines from before are still there" >>"$transcript/text"
}

bootstrap_is_gone() {
    if in_lab kind get clusters -q | grep -x pivot-bootstrap >&2; then
        die "the bootstrap cluster is still there"
    fi
}
