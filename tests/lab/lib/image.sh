# shellcheck shell=bash
# Container images without a registry or a builder: an image is a folder, packed as the archive that `docker save`
# writes. Engines and containerd both read it.

# pack_image FOLDER ARCHIVE CONFIG REFERENCE...: CONFIG is the image's configuration as JSON (Entrypoint, User, Env, ...).
# Files keep their owners.
pack_image() {
    local folder=$1 archive=$2 config=$3 work layer digest
    shift 3
    work=$(mktemp -d "$images/in-progress-XXXXXX")
    layer=$work/layer.tar
    tar --sort=name --mtime=@0 --numeric-owner --exclude=./.key -C "$folder" -cf "$layer" .
    digest=$(sha256sum "$layer" | cut -d' ' -f1)
    image_config "$config" "$digest" >"$work/config.json"
    jq -n '[{Config: "config.json", RepoTags: $ARGS.positional, Layers: ["layer.tar"]}]' --args "$@" >"$work/manifest.json"
    tar -C "$work" -cf "$archive.new" manifest.json config.json layer.tar
    rm -rf "$work"
    mv "$archive.new" "$archive"
    echo "packed $1: $(du -m "$archive" | cut -f1) MB"
}

image_config() {
    jq -n --argjson config "$1" --arg digest "sha256:$2" '{
        architecture: "amd64", os: "linux", created: "1970-01-01T00:00:00Z",
        config: ({Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], WorkingDir: "/"} + $config),
        rootfs: {type: "layers", diff_ids: [$digest]},
        history: [{created: "1970-01-01T00:00:00Z", created_by: "kubectl-pivot lab"}]
    }'
}

# A new folder with what every image of a single static program has: users, certificates, /tmp.
scaffold() {
    local folder=$images/roots/$1
    rm -rf "$folder"
    mkdir -p "$folder"/{etc/ssl/certs,tmp,usr/local/bin,var/run}
    chmod 1777 "$folder/tmp"
    printf '%s\n' root:x:0:0:root:/root:/sbin/nologin nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin \
        nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin >"$folder/etc/passwd"
    printf '%s\n' root:x:0: nobody:x:65534: nonroot:x:65532: >"$folder/etc/group"
    echo 'hosts: files dns' >"$folder/etc/nsswitch.conf"
    cp "$roots/base/etc/ssl/certs/ca-certificates.crt" "$folder/etc/ssl/certs/"
    echo "$folder"
}

# program_image NAME PATH_IN_IMAGE CONFIG REFERENCE...: an image that is one program.
program_image() {
    local name=$1 path=$2 config=$3 folder
    shift 3
    folder=$(scaffold "$name")
    install -D -m 755 "$programs/$name" "$folder$path"
    pack_image "$folder" "$images/$name.tar" "$config" "$@"
}

# copy_with_libraries ROOT FOLDER FILE...: files of a root file system, and the shared libraries that they need.
copy_with_libraries() {
    local root=$1 folder=$2 file
    shift 2
    for file in "$@"; do
        install -D "$root$file" "$folder$file"
    done
    for file in "$@"; do
        chroot "$root" ldd "$file" 2>/dev/null || true
    done | grep -oE '/[^ ]*\.so[^ ]*' | sort -u | while read -r file; do
        [[ -e $folder/usr/${file#/} ]] || install -D "$(readlink -e "$root$file" || echo "$root$file")" "$folder/usr/${file#/}"
    done
}

# /bin, /sbin and /lib as links, as Debian has them.
merge_usr() {
    local name
    for name in bin sbin lib lib64; do
        mkdir -p "$1/usr/$name"
        ln -s "usr/$name" "$1/$name"
    done
}

# The configuration of an image whose entry point is a command.
entry() {
    printf '%s\n' "$@" | jq -Rnc '{Entrypoint: [inputs]}'
}
