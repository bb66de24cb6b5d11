# shellcheck shell=bash
# This project's own program, so that `kubectl pivot` works in the lab: the one that $LAB_PIVOT names, or else built
# from this work tree; cargo knows itself what is to be done.

title="kubectl-pivot"

is_done() {
    return 1
}

make_it() {
    local program=${LAB_PIVOT:-}
    if [[ -z $program ]]; then
        cargo build --locked --manifest-path "$project/Cargo.toml" -p kubectl-pivot
        program=${CARGO_TARGET_DIR:-$project/target}/debug/kubectl-pivot
    fi
    ln -sfn "$(realpath "$program")" "$bin/kubectl-pivot"
    ln -sfn "$(docker_client)" "$bin/docker"
}
