# shellcheck shell=bash
# The load balancer image of the Docker provider: Debian's haproxy, and the commands that the provider runs in it.

title="Load balancer image"

balancer_key() {
    key_of "$lab/steps/35-balancer.sh" "$lab/balancer" "$lab/lib/image.sh" "$haproxy_image" "$(<"$roots/base/.key")"
}

is_done() {
    [[ -e $roots/balancer.key && $(<"$roots/balancer.key") == "$(balancer_key)" ]]
}

make_it() {
    local full=$roots/balancer folder
    rm -rf "$full"
    cp -a "$roots/base" "$full"
    chroot "$full" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive chroot "$full" apt-get install -y -qq --no-install-recommends haproxy
    folder=$(scaffold balancer)
    merge_usr "$folder"
    mkdir -p "$folder/usr/local/etc/haproxy" "$folder/usr/local/sbin" "$folder/root"
    copy_with_libraries "$full" "$folder" /usr/sbin/haproxy /bin/{sh,cat,cp,mkdir}
    install -m 755 "$lab/balancer/haproxy" "$folder/usr/local/sbin/haproxy"
    install -m 644 "$lab/balancer/haproxy.cfg" "$folder/usr/local/etc/haproxy/haproxy.cfg"
    chroot "$folder" /usr/local/sbin/haproxy -v
    pack_image "$folder" "$images/balancer.tar" \
        "$(entry haproxy -W -db -f /usr/local/etc/haproxy/haproxy.cfg | jq '.StopSignal = "SIGUSR1"')" "$haproxy_image"
    rm -rf "$full" "$folder"
    balancer_key >"$roots/balancer.key"
}
