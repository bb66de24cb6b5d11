# shellcheck shell=bash
# Ends a lab. What the kernel does not undo by itself when the namespaces end: global settings and control groups.

lab_down() {
    local pid
    if pid=$(engine_pid); then
        remove_containers || true
        end_process "$pid"
    fi
    restore_settings
    remove_cgroups
    rm -rf "$run"
    check_nothing_is_left
    say "the lab is down; what was made is kept in $cache"
}

lab_purge() {
    lab_down
    rm -rf "$cache"
    say "deleted: $cache"
}

# All containers of the lab's engine, with their volumes.
remove_containers() {
    local containers
    mapfile -t containers < <(docker_here ps --all --quiet)
    ((${#containers[@]} == 0)) || docker_here rm --force --volumes "${containers[@]}" >/dev/null
    docker_here volume prune --force >/dev/null
}

# The first process of the namespaces: the kernel ends all others in them with it.
end_process() {
    local begun end=$((SECONDS + 30))
    begun=$(start_time "$1")
    kill -TERM "$1"
    while [[ $(start_time "$1") == "$begun" ]]; do
        ((SECONDS < end)) || kill -KILL "$1" 2>/dev/null || true
        sleep 0.2
    done
}

restore_settings() {
    [[ -e $run/settings ]] || return 0
    local name value
    while IFS='=' read -r name value; do
        name=${name// /}
        value=${value# }
        [[ $(sysctl -n "$name" 2>/dev/null) == "$value" ]] || sysctl -q -w "$name=$value"
    done <"$run/settings"
}

remove_cgroups() {
    find /sys/fs/cgroup -depth -type d -path "*/$cgroup_parent*" -exec rmdir {} + 2>/dev/null || true
}

check_nothing_is_left() {
    if grep -F " $cache" /proc/mounts >&2; then
        die "mounts of the lab are left" "umount them"
    fi
    if find /sys/fs/cgroup -type d -path "*/$cgroup_parent*" | grep . >&2; then
        die "control groups of the lab are left" "see the processes in them: cat PATH/cgroup.procs"
    fi
}
