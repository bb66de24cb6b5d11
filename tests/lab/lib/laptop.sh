# shellcheck shell=bash
# A machine that the engine's networks are out of reach of, as with Docker Desktop: `engine/ports` has a network of its own, and
# publishes there what containers publish.

laptop_begin() {
    local pid
    pid=$(engine_pid) || die "the lab is not up" "just lab up"
    PATH=$bin:$PATH setsid unshare --net sh -c 'ip link set lo up && exec "$@"' - "$lab/engine/ports" "$pid" "$socket" \
        >"$logs/ports.log" 2>&1 </dev/null &
    laptop=$!
    trap laptop_end EXIT
    wait_for "the network of the laptop" 30 laptop_is_there
}

laptop_is_there() {
    [[ $(readlink "/proc/$laptop/ns/net") != $(readlink /proc/self/ns/net) ]] && kill -0 "$laptop"
}

laptop_end() {
    kill -KILL -- "-$laptop" 2>/dev/null || kill -KILL "$laptop" 2>/dev/null || true
}

# As `in_lab`, in the network of the laptop.
in_laptop() {
    local environment
    mapfile -t environment < <(lab_environment)
    nsenter --net="/proc/$laptop/ns/net" env -i "${environment[@]}" "$@"
}
