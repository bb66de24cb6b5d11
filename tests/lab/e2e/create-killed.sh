# shellcheck shell=bash
# `kubectl pivot create`, killed once in each of its steps and begun again: it has to end as if it had not been.

# shellcheck source=create.sh
source "$lab/e2e/create.sh"

run_title="A pivot in the lab, by \`kubectl pivot create\`, killed in every step"
run_text="Written by \`just lab e2e create-killed\`: the command is killed (\`kill -9\`) once in each of its steps, as soon as it says that the
step has begun, and given again. Everything is real but what [the README of the lab](../README.md) names as a stand-in."

create_pivot() {
    local titles title
    # What the command says when a step begins.
    mapfile -t titles < <(in_lab "${create[@]}" --dry-run -o json | jq -er '.steps[].title')
    ((${#titles[@]} > 0)) || die "create --dry-run -o json names no steps"
    for title in "${titles[@]}"; do
        killed_at "$title"
    done
    shown "${create[@]}"
    bootstrap_is_gone
}

# Runs the command until it says this. A step that is over before it is seen is told and passed over; one that the
# command never begins is an error.
killed_at() {
    local output=$transcript/killed pid code=0 killed=
    : >"$output"
    in_lab "${create[@]}" >"$output" 2>&1 </dev/null &
    pid=$!
    until grep -qxF -- "==> $1" "$output" || ! kill -0 "$pid" 2>/dev/null; do
        sleep 0.05
    done
    ! kill -KILL "$(only_child "$pid")" 2>/dev/null || killed=yes
    wait "$pid" || code=$?
    grep -qxF -- "==> $1" "$output" || die "create has ended without beginning the step: $1" "it said: $(tail -5 "$output")"
    if [[ -n $killed ]]; then
        printf '# killed in: %s\n' "$1" | tee -a "$transcript/text" >&2
    else
        ((code == 0)) || die "create has failed on the way: $(tail -5 "$output")"
        printf '# was over before it could be killed in: %s\n' "$1" | tee -a "$transcript/text" >&2
    fi
}

# `in_lab` becomes the program by way of exec where it can, else there is a subshell above it.
only_child() {
    pgrep --parent "$1" || echo "$1"
}
