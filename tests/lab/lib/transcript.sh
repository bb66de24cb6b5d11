# shellcheck shell=bash
# Writes down what an end-to-end run does: each step with its commands, what they said, and how long it took.

transcript_begin() {
    transcript=$run/transcript
    rm -rf "$transcript"
    mkdir -p "$transcript"
    : >"$transcript/table"
    : >"$transcript/text"
}

# step NUMBER TITLE FUNCTION
step() {
    local begun seconds
    say "==> $1. $2"
    begun=$(now)
    printf '\n## %s. %s\n\n```console\n' "$1" "$2" >>"$transcript/text"
    "$3"
    seconds=$(since "$begun")
    printf '```\n\n%s s\n' "$seconds" >>"$transcript/text"
    printf '| %s | %s | %s |\n' "$1" "$2" "$seconds" >>"$transcript/table"
    say "==> $1. $2: $seconds s"
}

# Runs a command in the lab; the transcript has it with its output, standard error included. The exit code is in $code.
written_down() {
    code=0
    printf '$ %s\n' "$*" | clean >>"$transcript/text"
    in_lab "$@" >"$transcript/output" 2>&1 </dev/null || code=$?
    clean <"$transcript/output" | tee -a "$transcript/text" >&2
}

# A command that has to succeed.
shown() {
    local code
    written_down "$@"
    ((code == 0)) || die "$1: exit code $code" "the lab is left as it is: tests/lab/lab run COMMAND; then just lab down"
}

# shown_failing CODE COMMAND...: one that has to fail with this exit code.
shown_failing() {
    local code expected=$1
    shift
    written_down "$@"
    printf '# exit code %s\n' "$code" | tee -a "$transcript/text" >&2
    ((code == expected)) || die "$1: exit code $code instead of $expected" "the lab is left as it is: tests/lab/lab run COMMAND"
}

# Runs a command in the lab until it succeeds; the transcript says what was waited for and how long.
awaited() {
    awaited_here "$1" "$2" in_lab "${@:3}"
}

# The same with a function of these scripts.
awaited_here() {
    local what=$1 begun
    begun=$(now)
    wait_for "$@"
    printf '# waited %s s: %s\n' "$(since "$begun")" "$what" | tee -a "$transcript/text" >&2
}

# Without folders of this machine, without what a terminal would do with it.
clean() {
    sed -u -e "s#$run/home#~#g; s#$cache#LAB#g; s#$project/##g" -e 's/\x1b\[[0-9;]*[A-Za-z]//g; s/.*\r//; s/[[:space:]]*$//'
}

# write_document FILE: what has run; a run may have a document of its own instead.
write_document() {
    {
        printf '# %s\n\n%s\n\n' "$run_title" "$run_text"
        versions_table
        printf '\n| step | what | seconds |\n|---|---|---|\n'
        cat "$transcript/table"
        awk -F'|' '{ sum += $4 } END { printf "| | all | %.1f |\n", sum }' "$transcript/table"
        cat "$transcript/text"
    } >"$1.new"
    mv "$1.new" "$1"
    say "written: ${1#"$project"/}"
}

versions_table() {
    printf '| part | version |\n|---|---|\n'
    row() { printf '| %s | %s |\n' "$1" "$2"; }
    row kubectl-pivot "$(in_lab kubectl pivot --version | awk '{ print $NF }')"
    row Kubernetes "$kubernetes_version"
    row kind "$(in_lab kind version -q)"
    row clusterctl "$(in_lab clusterctl version -o short)"
    row "Docker provider" "$capd_version"
    row "Helm add-on provider" "${run_addon:-left out}"
    row helm "$(in_lab helm version --template '{{.Version}}')"
    row cert-manager "$cert_manager_version (library module, main functions of the lab)"
    row containerd "$containerd_version"
    row "Docker engine" "$(docker_here version --format '{{.Server.Version}}')"
    row CNI "${run_cni:-kindnetd of the lab}"
    row machine "$(nproc) CPUs, $(awk '/MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo), Linux $(uname -r | cut -d- -f1)"
}
