# shellcheck shell=bash disable=SC2034
# Where things are. What can be made again at leisure is in $cache; what belongs to a running lab is in $run.

cache=${KUBECTL_PIVOT_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/kubectl-pivot}/lab
programs=$cache/programs
roots=$cache/roots
images=$cache/images
repository=$cache/repository
run=$cache/run
logs=$cache/logs
times=$cache/times.tsv
bin=$cache/bin

mkdir -p "$programs" "$roots" "$images" "$logs" "$bin"
chmod 700 "$cache"
