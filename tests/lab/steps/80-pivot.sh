# shellcheck shell=bash
# This project's own program and the plugins that runs here use, so that `kubectl pivot` works in the lab: the program that
# $LAB_PIVOT names with the plugins beside it, or else built from this work tree; cargo knows itself what is to be done.

title="kubectl-pivot"

plugins=(docker none cilium)

is_done() {
    return 1
}

make_it() {
    local program=${LAB_PIVOT:-}
    if [[ -z $program ]]; then
        cargo build --locked --manifest-path "$project/Cargo.toml" -p kubectl-pivot "${plugins[@]/#/--package=kubectl-pivot-plugin-}"
        program=${CARGO_TARGET_DIR:-$project/target}/debug/kubectl-pivot
    fi
    ln -sfn "$(realpath "$program")" "$bin/kubectl-pivot"
    ln -sfn "$(docker_client)" "$bin/docker"
    mkdir -p "$bin/plugins"
    local plugin
    for plugin in "${plugins[@]}"; do
        cp "$(dirname "$program")/libkubectl_pivot_plugin_$plugin.so" "$bin/plugins/"
    done
}
