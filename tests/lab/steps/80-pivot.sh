# shellcheck shell=bash
# This project's own program, so that `kubectl pivot` works in the lab. cargo knows itself what is to be done.

title="kubectl-pivot from this work tree"

is_done() {
    return 1
}

make_it() {
    cargo build --locked --manifest-path "$project/Cargo.toml" -p kubectl-pivot
    ln -sfn "${CARGO_TARGET_DIR:-$project/target}/debug/kubectl-pivot" "$bin/kubectl-pivot"
    ln -sfn "$(docker_client)" "$bin/docker"
}
