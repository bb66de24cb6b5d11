# shellcheck shell=bash
# Building programs from pinned Go modules.

# Go as this project calls it: static programs, nothing but what go.sum has.
go_here() {
    env -u GOOS -u GOARCH CGO_ENABLED=0 GOWORK=off GOFLAGS="-mod=readonly -p=${LAB_JOBS:-$(nproc)}" go "$@"
}

# build NAME MODULE_FOLDER PACKAGE [LDFLAGS] [TAGS]: into the cache, unless it is there with the same input.
build() {
    local name=$1 module=$2 package=$3 stamps=${4:-} tags=${5:-} target begun
    target=$(program_path "$@")
    if [[ ! -x $target ]]; then
        begun=$(now)
        mkdir -p "$(dirname "$target")"
        (cd "$module" && go_here build -trimpath -ldflags "-s -w$stamps" ${tags:+-tags "$tags"} -o "$target.new" "$package")
        mv "$target.new" "$target"
        echo "built $name in $(since "$begun") s"
    fi
    ln -sfn "$target" "$programs/$name"
}

program_path() {
    local name=$1 module=$2 key
    key=$(key_of "$module" "${@:3}")
    echo "$programs/built/$name-$key/$name"
}

# The folder of a dependency in the module cache.
module_folder() {
    (cd "$1" && go_here mod download "$2" && go_here list -m -f '{{.Dir}}' "$2")
}

# -X flags for packages that keep their version as Kubernetes does.
version_stamps() {
    local version=$1 package numbers flags=
    shift
    IFS=. read -ra numbers <<<"${version#v}"
    for package in "$@"; do
        flags+=" -X $package.gitVersion=$version -X $package.gitMajor=${numbers[0]} -X $package.gitMinor=${numbers[1]}"
    done
    echo "$flags"
}
