# shellcheck shell=bash
# `kubectl pivot create` on a machine that has no route to the networks of containers: the target is reached at the port that
# Docker publishes.

# shellcheck source=create.sh
source "$lab/e2e/create.sh"
# shellcheck source=../lib/laptop.sh
source "$lab/lib/laptop.sh"

run_title="A pivot in the lab, where containers cannot be reached"
run_text="Written by \`just lab e2e unreachable\`: the nine steps by \`kubectl pivot create\`, on a machine beside the engine as with Docker
Desktop, Colima or Rancher Desktop: its network has \`lo\` and nothing else, and what containers publish is at its 127.0.0.1
(\`engine/ports\`). Everything else is as in [create.md](create.md)."

run_it() {
    create_inputs
    step 1 "Plugins" install_plugins
    laptop_begin
    step 2 "A network without a route to containers" show_network
    step 3 "Create" create_unreachable
    step 4 "Afterwards: the target scales itself" scale_created
}

show_network() {
    on_laptop
    shown sh -c 'cat /proc/net/route | tail -n +2 | wc -l'
    shown docker context inspect --format '{{.Endpoints.docker.Host}}'
}

# From here on all commands run there.
on_laptop() {
    in_lab() { in_laptop "$@"; }
}

create_unreachable() {
    shown "${create[@]}"
    bootstrap_is_gone
    shown grep server: "$target"
    local endpoint
    endpoint=$(in_lab kubectl "${on_target[@]}" get cluster pivot -o jsonpath='{.spec.controlPlaneEndpoint.host}')
    shown_failing 7 curl --silent --show-error --max-time 5 --insecure "https://$endpoint:6443/readyz"
}
