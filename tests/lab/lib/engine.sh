# shellcheck shell=bash
# The lab's Docker engine: it runs in network, mount and process namespaces of its own. The network has no uplink, so
# nothing that pods or services send can leave this machine. The first process of the namespaces is `engine/init`;
# when it ends, the kernel ends everything in them and undoes their mounts, so nothing can be left over.

socket=$run/engine/docker.sock
engine_root=$cache/engine
cgroup_parent=kubectl-pivot-lab

# The first process of the engine's namespaces, if it is the one that we started.
engine_pid() {
    local pid begun
    [[ -r $run/engine.pid ]] || return 1
    read -r pid begun <"$run/engine.pid"
    [[ $(start_time "$pid") == "$begun" ]] || return 1
    echo "$pid"
}

# When a process was started, in ticks since boot: an id may be given again, this pair is not.
start_time() {
    sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
}

engine_answers() {
    engine_pid >/dev/null && docker_here version >/dev/null 2>&1
}

docker_here() {
    DOCKER_HOST=unix://$socket "$(docker_client)" "$@"
}

# The client that came with Debian's engine, before any other on the PATH.
docker_client() {
    if [[ -x /usr/bin/docker ]]; then echo /usr/bin/docker; else command -v docker; fi
}

# What a command of the lab sees: its own PATH, HOME and Docker, and no proxies.
lab_environment() {
    mkdir -p "$run/home"
    cat <<EOF
PATH=$bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
HOME=$run/home
LANG=C.UTF-8
TERM=${TERM:-dumb}
DOCKER_HOST=unix://$socket
KUBECONFIG=$run/home/.kube/config
CLUSTERCTL_DISABLE_VERSIONCHECK=true
KUBECTL_PIVOT_LAB=$lab
EOF
}

# Runs a command in the lab's network with the lab's environment.
in_lab() {
    local pid environment
    pid=$(engine_pid) || die "the lab is not up" "just lab up"
    mapfile -t environment < <(lab_environment)
    nsenter --net="/proc/$pid/ns/net" env -i "${environment[@]}" "$@"
}
