# shellcheck shell=bash
# How long each step takes, by hand and by `create`, side by side: in turns, in the same lab, from no cluster to a target
# that manages itself. Both wait for the same: `verify` watches the Machines equally long.

# shellcheck source=by-hand.sh
source "$lab/e2e/by-hand.sh"
# shellcheck source=create.sh
source "$lab/e2e/create.sh"

rounds=${LAB_ROUNDS:-2}
settle=10

run_title="The nine steps by hand and by \`kubectl pivot create\`, in seconds"
run_text="Written by \`just lab e2e times\`: the nine steps of [by-hand.md](by-hand.md), each command followed by nothing but the waits that the next
one needs, and \`kubectl pivot create\`, in turns, in the same lab, from no cluster to a target that manages itself. Both
watch the Machines for $settle s after the move. By hand step 4 waits until the Cluster says that its control plane is initialized; \`create\`
installs the network as soon as the target's API server is ready. Containers of the lab were given the machine's processors before everything else on it."

run_it() {
    local round
    measures=$run/times
    rm -rf "$measures"
    mkdir -p "$measures"
    lab_first
    create_inputs
    write_inputs
    verify=(--settle "$settle")
    create+=(--settle "$settle" -o json)
    in_lab kubectl pivot plugin install "$bin"/plugins/*.so
    for ((round = 1; round <= rounds; round++)); do
        by_hand_once "$round"
        create_once "$round"
    done
    write_rows
}

# The lab's control group and engine before the rest of the machine, as far as the kernel allows.
lab_first() {
    local shares=/sys/fs/cgroup/cpu/$cgroup_parent/cpu.shares
    [[ ! -w $shares ]] || echo 262144 >"$shares"
    renice -n -5 -p $$ >/dev/null
    pgrep --ns "$(engine_pid)" --nslist pid | xargs renice -n -5 -p >/dev/null || true
}

load() {
    cut -d' ' -f1 /proc/loadavg
}

by_hand_once() {
    local kept=$transcript
    say "==> round $1, by hand; load $(load)"
    load >"$measures/$1.by-hand.load"
    transcript=$measures/$1.by-hand
    mkdir "$transcript"
    : >"$transcript/table"
    nine_steps
    load >>"$measures/$1.by-hand.load"
    awk -F'|' '{ print $2 + 0 "\t" $4 + 0 }' "$transcript/table" >"$measures/$1.by-hand.tsv"
    transcript=$kept
    remove_containers
}

create_once() {
    local begun
    say "==> round $1, create; load $(load)"
    load >"$measures/$1.create.load"
    forget_run
    begun=$(now)
    in_lab "${create[@]}" >"$measures/$1.create.json" 2>"$measures/$1.create.log" </dev/null ||
        die "create has failed" "see $measures/$1.create.log"
    echo "$(since "$begun")" >"$measures/$1.create.all"
    load >>"$measures/$1.create.load"
    jq -r '.steps[] | [.name // .step, .seconds] | @tsv' "$measures/$1.create.json" >"$measures/$1.create.tsv"
    [[ -s $measures/$1.create.tsv ]] || die "create had nothing to do"
    bootstrap_is_gone
    remove_containers
}

# Steps by hand, and those of `create` that do the same.
pairs=(
    "1|Bootstrap cluster|1|preflight bootstrap"
    "2, 3|Providers in the bootstrap cluster, apply the cluster|2 3|init-bootstrap apply-cluster"
    "4|Kubeconfig of the target|4|kubeconfig"
    "5|CNI, every Machine has a Ready Node|5|network nodes"
    "6|Providers in the target|6|init-target target-providers"
    "7|Move|7|move"
    "8|Verify|8|verify"
    "9|Delete the bootstrap cluster|9|delete-bootstrap"
)

# The shortest of all rounds: what is more is what others have taken of the machine.
write_rows() {
    local pair number title hand create
    for pair in "${pairs[@]}"; do
        IFS='|' read -r number title hand create <<<"$pair"
        table_row "$number" "$title" "$(sums by-hand.tsv "$hand" | least)" "$(sums create.tsv "$create" | least)"
    done >"$measures/rows"
    hand=$(sums by-hand.tsv "1 2 3 4 5 6 7 8 9" | least)
    create=$(cat "$measures"/*.create.all | least)
    table_row "" "**all, by the clock**" "$hand" "$create" >>"$measures/rows"
    awk -v hand="$hand" -v create="$create" 'BEGIN {
        part = 100 * (hand - create) / hand
        printf "By hand %.0f s, by `create` %.0f s: %.0f %% %s.\n", hand, create, part < 0 ? -part : part, part < 0 ? "more" : "less"
    }' >"$measures/sum"
}

table_row() {
    awk -v number="$1" -v title="$2" -v hand="$3" -v create="$4" \
        'BEGIN { printf "| %s | %s | %.1f | %.1f | %.2f |\n", number, title, hand, create, create / hand }'
}

# sums FILES STEPS: of each round, how long these steps took together.
sums() {
    local file
    for file in "$measures"/*."$1"; do
        awk -v steps=" $2 " 'index(steps, " " $1 " ") { sum += $2 } END { print sum + 0 }' "$file"
    done
}

least() {
    sort -g | head -n 1
}

# In place of the transcript of one run.
write_document() {
    {
        printf '# %s\n\n%s\n\n' "$run_title" "$run_text"
        versions_table
        printf '\n## The shortest of %s round(s)\n\n| step | what | by hand | create | create / by hand |\n|---|---|---|---|---|\n' "$rounds"
        cat "$measures/rows"
        printf '\n%s Steps overlap in %s, so its total is less than their sum.\n' "$(<"$measures/sum")" '`create`'
        printf '\n## Each run\n\n| round | | seconds | load of the machine before and after |\n|---|---|---|---|\n'
        each_run
        printf '\n## Steps of %s\n\n' '`create`'
        steps_of_create
    } >"$1.new"
    mv "$1.new" "$1"
    say "written: ${1#"$project"/}"
    cat "$measures/rows" >&2
}

each_run() {
    local round
    for ((round = 1; round <= rounds; round++)); do
        printf '| %s | by hand | %s | %s |\n' "$round" "$(awk '{ sum += $2 } END { printf "%.1f", sum }' "$measures/$round.by-hand.tsv")" \
            "$(paste -sd' ' "$measures/$round.by-hand.load")"
        printf '| %s | create | %s | %s |\n' "$round" "$(<"$measures/$round.create.all")" "$(paste -sd' ' "$measures/$round.create.load")"
    done
}

steps_of_create() {
    local round name
    printf '| step |'
    for ((round = 1; round <= rounds; round++)); do printf ' round %s |' "$round"; done
    printf '\n|---|'
    for ((round = 1; round <= rounds; round++)); do printf -- '---|'; done
    echo
    while read -r name _; do
        printf '| %s |' "$name"
        for ((round = 1; round <= rounds; round++)); do
            awk -v name="$name" '$1 == name { printf " %.1f |", $2 }' "$measures/$round.create.tsv"
        done
        echo
    done <"$measures/1.create.tsv"
}
