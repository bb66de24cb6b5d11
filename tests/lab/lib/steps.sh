# shellcheck shell=bash
# How steps run: each in a process of its own, with a log, timed, skipped when what it makes is there.
# A step is a file that defines `title`, `is_done` and `make_it`.

say() {
    printf '%s\n' "$*" >&2
}

die() {
    printf 'error: %s\n' "$1" >&2
    if (($# > 1)); then
        printf '  next: %s\n' "$2" >&2
    fi
    exit 1
}

# A short hash of files, folders (by absolute path) and words: the key under which a product is cached.
key_of() {
    local item
    for item in "$@"; do
        if [[ $item == /* && -d $item ]]; then
            find "$item" -type f -print0 | sort -z | xargs -0 cat
        elif [[ $item == /* && -f $item ]]; then
            cat "$item"
        else
            printf '%s\n' "$item"
        fi
    done | sha256sum | cut -c1-12
}

# Runs one step by its name; says how long it took.
run_step() {
    local name=$1 file title log begun pid
    file=$(find "$lab/steps" -name "[0-9][0-9]-$name.sh")
    [[ -n $file ]] || die "there is no step $name" "tests/lab/lab steps"
    title=$(sed -n 's/^title="\(.*\)"$/\1/p' "$file")
    log=$logs/$name.log
    begun=$(now)
    ( load_step "$file"; exec >"$log" 2>&1; if is_done; then exit 33; else exit 0; fi ) &
    pid=$!
    local code=0
    wait "$pid" || code=$?
    if ((code == 33)); then
        say "[ there  ] $title"
        note_time "$name" 0 there
        return
    fi
    ((code == 0)) || fail_step "$title" "$log"
    ( set -euo pipefail; load_step "$file"; make_it ) >"$log" 2>&1 </dev/null &
    pid=$!
    follow "$pid" "$title"
    wait "$pid" || fail_step "$title" "$log"
    say "[$(printf '%6.1f' "$(since "$begun")") s] $title"
    note_time "$name" "$(since "$begun")" made
}

load_step() {
    # shellcheck source=/dev/null
    source "$1"
}

# Shows on a terminal that time goes by.
follow() {
    local begun
    begun=$(now)
    while [[ -t 2 ]] && kill -0 "$1" 2>/dev/null; do
        printf '\r[%6.0f s] %s ' "$(since "$begun")" "$2" >&2
        sleep 1
    done
    [[ ! -t 2 ]] || printf '\r\033[K' >&2
}

fail_step() {
    say "[ failed ] $1"
    tail -n 15 "$2" | sed 's/^/    /' >&2
    die "$1: failed" "see $2; then again: just lab up"
}

note_time() {
    printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$times"
}

now() {
    date +%s.%N
}

# Seconds since a moment, with one decimal.
since() {
    awk -v then="$1" -v now="$(now)" 'BEGIN { printf "%.1f", now - then }'
}

# Repeats COMMAND until it succeeds, at most SECONDS; says what was waited for when it does not.
wait_for() {
    local what=$1 seconds=$2 end
    shift 2
    end=$((SECONDS + seconds))
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || die "$what: not within $seconds s" "the last answer: $("$@" 2>&1 | tail -n 3 || true)"
        sleep 0.5
    done
}
