# shellcheck shell=bash
# The root file system that all images begin with: Debian with systemd and what a node needs, laid out as kind's base
# image is. kind's own files (entrypoint, units) are taken from its module.

title="Debian root file system of the node image"

node_packages=(
    systemd systemd-sysv dbus kmod mount util-linux procps bash ca-certificates
    iproute2 iptables nftables conntrack ethtool socat iputils-ping ipset
    runc libseccomp2 pigz e2fsprogs jq curl openssl
)

base_key() {
    key_of "$lab/steps/30-base.sh" "$lab/modules/kind"
}

is_done() {
    [[ -e $roots/base/.key && $(<"$roots/base/.key") == "$(base_key)" ]]
}

make_it() {
    local new=$roots/base.new packages
    rm -rf "$new"
    packages=$(IFS=,; echo "${node_packages[*]}")
    debootstrap --variant=minbase --include="$packages" "$debian" "$new" "$(debian_mirror)"
    slim_down "$new"
    add_kind_files "$new"
    set_services "$new"
    base_key >"$new/.key"
    rm -rf "$roots/base"
    mv "$new" "$roots/base"
}

slim_down() {
    find "$1/var/cache/apt" "$1/var/lib/apt/lists" "$1/usr/share/doc" "$1/usr/share/man" "$1/usr/share/locale" \
        -mindepth 1 -delete
}

add_kind_files() {
    local kind
    kind=$(module_folder "$lab/modules/kind" sigs.k8s.io/kind)
    cp -r --no-preserve=mode,ownership "$kind/images/base/files/." "$1/"
    chmod 755 "$1/kind" "$1/kind/bin" "$1"/kind/bin/* "$1"/usr/local/bin/*
    mkdir -p "$1/etc/kubernetes/manifests" "$1/opt/cni/bin" "$1/usr/local/sbin"
    ln -sf /usr/sbin/runc "$1/usr/local/sbin/runc"
    ln -sf /usr/lib/systemd/systemd "$1/sbin/init"
}

# Only what a node runs; each node makes its own machine id.
set_services() {
    local units=$1/lib/systemd/system
    rm -f "$units"/{multi-user,local-fs,basic}.target.wants/* "$1"/etc/systemd/system/*.wants/* \
        "$units"/sockets.target.wants/*{udev,initctl}* "$units"/sysinit.target.wants/systemd-tmpfiles-setup.service
    echo ReadKMsg=no >>"$1/etc/systemd/journald.conf"
    systemctl --root="$1" enable kubelet.service containerd.service undo-mount-hacks.service
    systemctl --root="$1" mask systemd-binfmt.service
    : >"$1/etc/machine-id"
}

# The mirror that this machine's own apt uses, if it is of the same release.
debian_mirror() {
    # shellcheck disable=SC2016 # these are names of apt's
    apt-get indextargets --format '$(REPO_URI)' "Codename: $debian" "Label: Debian" | head -n 1
}
