# shellcheck shell=bash
# Cilium: its programs, built from its Go module, in the two images that its chart names, and the chart itself. The agent
# compiles its programs for the kernel on the node, so its image has clang; Debian's clang-19 is the version that
# Cilium's own image has.

title="Cilium: programs, images and chart"

agent_image=quay.io/cilium/cilium:$cilium_version
operator_image=quay.io/cilium/operator-generic:$cilium_version

# name, package, build tags
cilium_programs=(
    "cilium-cni plugins/cilium-cni osusergo"
    "cilium-mount tools/mount osusergo"
    "cilium-health cilium-health osusergo"
    "cilium-health-responder cilium-health/responder osusergo"
    "cilium-agent daemon osusergo"
    "cilium-dbg cilium-dbg osusergo"
    "cilium-operator-generic operator osusergo,ipam_provider_operator"
)

cilium_step_key() {
    key_of "$lab/steps/45-cilium.sh" "$lab/modules/cilium" "$lab/lib/image.sh" "$(<"$roots/base/.key")" "$(readlink "$programs/loopback")"
}

is_done() {
    [[ -e $images/cilium.key && $(<"$images/cilium.key") == "$(cilium_step_key)" && -e $cilium_chart ]]
}

make_it() {
    local name package tags
    while read -r name package tags; do
        build "$name" "$lab/modules/cilium" "github.com/cilium/cilium/$package" \
            " -X github.com/cilium/cilium/pkg/version.ciliumVersion=${cilium_version#v}" "$tags"
    done < <(printf '%s\n' "${cilium_programs[@]}")
    cilium=$(module_folder "$lab/modules/cilium" github.com/cilium/cilium)
    make_chart
    operator
    agent
    cilium_step_key >"$images/cilium.key"
}

make_chart() {
    mkdir -p "$(dirname "$cilium_chart")"
    "$programs/helm" package "$cilium/install/kubernetes/cilium" --destination "$(dirname "$cilium_chart")"
}

operator() {
    local folder
    folder=$(scaffold cilium-operator)
    mkdir -p "$folder/home/gops"
    install -D -m 755 "$programs/cilium-operator-generic" "$folder/usr/bin/cilium-operator-generic"
    pack_image "$folder" "$images/cilium-operator.tar" "$(entry /usr/bin/cilium-operator-generic)" "$operator_image"
    rm -rf "$folder"
}

agent() {
    local folder=$images/roots/cilium
    rm -rf "$folder"
    mkdir -p "$(dirname "$folder")"
    cp -a "$roots/base" "$folder"
    chroot "$folder" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive chroot "$folder" apt-get install -y -qq --no-install-recommends clang-19 bpftool
    find "$folder/var/cache/apt" "$folder/var/lib/apt/lists" "$folder/usr/share/doc" -mindepth 1 -delete
    ln -s clang-19 "$folder/usr/bin/clang"
    install -m 755 "$programs"/cilium-{agent,dbg,health,health-responder,mount} "$folder/usr/bin/"
    install -D -m 755 "$programs/cilium-cni" "$folder/opt/cni/bin/cilium-cni"
    install -D -m 755 "$programs/loopback" "$folder/cni/loopback"
    install -m 755 "$cilium"/images/cilium/init-container.sh "$cilium"/plugins/cilium-cni/{install-plugin,cni-uninstall}.sh "$folder/"
    mkdir -p "$folder/var/lib/cilium"
    cp -r --no-preserve=mode,ownership "$cilium/bpf" "$folder/var/lib/cilium/bpf"
    chroot "$folder" clang --version
    chroot "$folder" cilium-agent --version
    pack_image "$folder" "$images/cilium.tar" '{"Cmd": ["/usr/bin/cilium-dbg"], "Env": ["INITSYSTEM=SYSTEMD",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]}' "$agent_image"
    rm -rf "$folder"
}
