# shellcheck shell=bash
# `kubectl pivot create`, killed once in each of its steps and begun again: it has to end as if it had not been.

# shellcheck source=create.sh
source "$lab/e2e/create.sh"

run_title="A pivot in the lab, by \`kubectl pivot create\`, killed in every step"
run_text="Written by \`just lab e2e create-killed\`: the command is killed (\`kill -9\`) once in each of its steps, as soon as it says that the
step has begun, and given again. Everything is real but what [tests/lab/README.md](../tests/lab/README.md) names as a stand-in."

# What the command says when a step begins.
titles=("Check programs and plugins" "Create the bootstrap cluster" "Install providers in the bootstrap cluster" "Apply the cluster"
    "Wait for the control plane" "Get the kubeconfig of the target" "Install the network" "Wait for the nodes"
    "Install providers in the target" "Wait for the providers of the target" "Move the cluster into the target" "Verify the target"
    "Delete the bootstrap cluster")

create_pivot() {
    local title
    for title in "${titles[@]}"; do
        killed_at "$title"
    done
    shown "${create[@]}"
    [[ -z $(in_lab kind get clusters -q | grep -x pivot-bootstrap) ]] || die "the bootstrap cluster is still there"
}

# Runs the command until it says this; a step that is over before it is seen is told and passed over.
killed_at() {
    local output=$transcript/killed pid
    : >"$output"
    in_lab "${create[@]}" >"$output" 2>&1 </dev/null &
    pid=$!
    while kill -0 "$pid" 2>/dev/null && ! grep -qF -- "$1" "$output"; do
        sleep 0.05
    done
    if kill -KILL "$(only_child "$pid")" 2>/dev/null; then
        wait "$pid" || true
        printf '# killed in: %s\n' "$1" | tee -a "$transcript/text" >&2
    else
        wait "$pid" || die "create has failed on the way: $(tail -5 "$output")"
        printf '# was over before it could be killed in: %s\n' "$1" | tee -a "$transcript/text" >&2
    fi
}

# `in_lab` becomes the program by way of exec where it can, else there is a subshell above it.
only_child() {
    pgrep --parent "$1" || echo "$1"
}
