# shellcheck shell=bash
# The real Cilium: agent and operator images, and its chart. Only with `--cni cilium`.

title="Cilium: images and chart"

cilium_module=github.com/cilium/cilium

cilium_key() {
    key_of "$lab/steps/45-cilium.sh" "$lab/modules/cilium" "$lab/lib/image.sh" "$(<"$roots/base/.key")"
}

is_done() {
    [[ -e $cache/cilium/.key && $(<"$cache/cilium/.key") == "$(cilium_key)" ]]
}

make_it() {
    cilium_programs
    source_tree=$(module_folder "$lab/modules/cilium" "$cilium_module")
    agent_image
    operator_image
    rm -rf "$cache/cilium"
    mkdir -p "$cache/cilium"
    cp -r --no-preserve=mode "$source_tree/install/kubernetes/cilium" "$cache/cilium/chart"
    cilium_key >"$cache/cilium/.key"
}

cilium_programs() {
    # Version, revision, date of the revision: it is read word by word.
    local stamps=" -X '$cilium_module/pkg/version.ciliumVersion=${cilium_version#v} module 1970-01-01T00:00:00Z'"
    local module=$lab/modules/cilium
    build cilium-agent "$module" "$cilium_module/daemon" "$stamps" osusergo
    build cilium-dbg "$module" "$cilium_module/cilium-dbg" "$stamps" osusergo
    build cilium-cni "$module" "$cilium_module/plugins/cilium-cni" "$stamps" osusergo
    build cilium-mount "$module" "$cilium_module/tools/mount" "$stamps" osusergo
    build cilium-sysctlfix "$module" "$cilium_module/tools/sysctlfix" "$stamps" osusergo
    build cilium-operator-generic "$module" "$cilium_module/operator" "$stamps" osusergo,ipam_provider_operator
}

# Debian with the compiler that the agent calls, and what it expects where.
agent_image() {
    local root=$roots/cilium-agent
    rm -rf "$root"
    cp -a "$roots/base" "$root"
    chroot "$root" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -y -qq --no-install-recommends clang-19 bpftool
    slim_compiler "$root"
    ln -s clang-19 "$root/usr/bin/clang"
    install -m 755 "$programs"/cilium-{agent,dbg,mount,sysctlfix} "$root/usr/bin/"
    install -m 755 -D "$programs/cilium-cni" "$root/opt/cni/bin/cilium-cni"
    install -m 755 -D "$programs/loopback" "$root/cni/loopback"
    mkdir -p "$root/var/lib/cilium" "$root/home/cilium"
    cp -r --no-preserve=mode,ownership "$source_tree/bpf" "$root/var/lib/cilium/bpf"
    install -m 755 "$source_tree/images/cilium/init-container.sh" "$source_tree"/plugins/cilium-cni/{install-plugin,cni-uninstall}.sh "$root/"
    chroot "$root" clang --version
    pack_image "$root" "$images/cilium-agent.tar" '{"Cmd": ["/usr/bin/cilium-dbg"], "WorkingDir": "/home/cilium"}' "quay.io/cilium/cilium:$cilium_version"
    rm -rf "$root"
}

# The compiler compiles BPF only: neither headers nor libraries for programs of the machine are needed.
slim_compiler() {
    rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/var/lib/apt/lists/* "$1"/usr/share/doc/* \
        "$1"/usr/lib/gcc "$1"/usr/include/c++
}

operator_image() {
    program_image cilium-operator-generic /usr/bin/cilium-operator-generic \
        "$(entry /usr/bin/cilium-operator-generic)" "quay.io/cilium/operator-generic:$cilium_version"
}
