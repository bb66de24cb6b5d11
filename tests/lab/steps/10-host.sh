# shellcheck shell=bash
# What the host has to have from Debian. An engine that is installed already is used as it is; if Debian's has to be
# installed, its service is not started: the lab runs an engine of its own.

title="Debian packages on this machine"

# program and the package that has it
needed=(dockerd:docker.io docker:docker.io runc:runc iptables:iptables debootstrap:debootstrap jq:jq ip:iproute2 nsenter:util-linux
    /usr/bin/python3:python3)

missing_packages() {
    local pair
    for pair in "${needed[@]}"; do
        command -v "${pair%%:*}" >/dev/null || echo "${pair##*:}"
    done | sort -u
}

is_done() {
    [[ -z $(missing_packages) ]]
}

make_it() {
    local packages guard=/usr/sbin/policy-rc.d
    mapfile -t packages < <(missing_packages)
    if [[ ! -e $guard ]]; then
        printf '#!/bin/sh\nexit 101\n' >"$guard"
        chmod +x "$guard"
        trap 'rm -f "$guard"' EXIT
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"
}
