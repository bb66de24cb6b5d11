# shellcheck shell=bash
# Starts the engine in its namespaces.

title="Docker engine in a network without uplink"

# Settings of the whole kernel that programs in nodes are known to write. Of most of them nodes have copies (node/), but
# systemd writes its own before anything else can run in a node. `down` puts back what has changed.
machine_settings=(vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops
    kernel.pid_max kernel.keys.root_maxkeys kernel.keys.root_maxbytes kernel.timer_migration fs.file-max fs.nr_open)

is_done() {
    engine_answers
}

make_it() {
    mkdir -p "$run/engine"
    remember_settings
    setsid unshare --net --mount --pid --fork --kill-child --mount-proc --propagation private \
        env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        "$lab/engine/init" "$run" "$engine_root" "$cgroup_parent" >"$logs/dockerd.log" 2>&1 </dev/null &
    unshared=$!
    trap 'kill -KILL "$unshared" 2>/dev/null' EXIT
    first_process "$unshared"
    wait_for "the Docker engine" 60 engine_answers
    remove_containers
    trap - EXIT
}

# unshare waits outside of the namespaces, and ends what is inside when it is ended; its only child is their first
# process.
first_process() {
    local child=
    while [[ -z $child ]]; do
        kill -0 "$1" 2>/dev/null || die "the engine's namespaces could not be made" "see $logs/dockerd.log"
        child=$(tr -d ' ' <"/proc/$1/task/$1/children")
        sleep 0.1
    done
    printf '%s %s\n' "$child" "$(start_time "$child")" >"$run/engine.pid"
}

remember_settings() {
    [[ -e $run/settings ]] || sysctl "${machine_settings[@]}" >"$run/settings" 2>/dev/null
}
