#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What scripts/fuzz makes of fuzzers that find something, fail, hang or are interrupted: fuzz_script_test.sh SOURCE_ROOT. The
# script is the real one, in a tree of its own; the fuzzers are stand-ins, as the real ones do none of this on demand.
# shellcheck disable=SC2016 # their words are theirs to expand
set -euo pipefail
cd "$1"
. tests/tap.sh

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/scripts" "$tree/fuzz" "$tree/bin" "$tree/corpus/path"
sed -e 's/^overtime=60$/overtime=4/' -e 's/^seed_limit=10$/seed_limit=1/' -e 's/^replay_limit=60$/replay_limit=5/' scripts/fuzz \
    >"$tree/scripts/fuzz"
cp -r scripts/common "$tree/scripts"
[ "$(grep -cE '^(overtime=4|seed_limit=1|replay_limit=5)$' "$tree/scripts/fuzz")" -eq 3 ]
for seed in 1 2 3 4 5 6; do
    echo "seed $seed" >"$tree/corpus/path/seed-$seed"
done
build="$tree/a build"

cat >"$tree/scripts/fuzz-build" <<'EOF'
#!/bin/sh
echo "$STAND_IN"
EOF

# The target of both builds. With -artifact_prefix it is libFuzzer that fuzzes, and does what LIBFUZZER says; $found is what
# the names of its findings begin with. Otherwise it plays its last argument, as PLAYED says, or SEEDED of a seed.
cat >"$tree/fuzz/fuzz_path" <<'EOF'
#!/usr/bin/env bash
found=
for argument in "$@"; do
    case $argument in
    -max_total_time=*) seconds=${argument#*=} ;;
    -artifact_prefix=*) found=${argument#*=} ;;
    esac
done
if [ -z "$found" ]; then
    [[ ${!#} != */corpus/* ]] || eval "${SEEDED-true}; exit"
    eval "$PLAYED; exit"
fi
printf '\1%031d' 0 | tr 0 '\0' >"$NPJOB_CAMPAIGN_STATS.$$"
eval "$LIBFUZZER"
EOF

# Does what AFLPP says; $found is the folder of the process.
cat >"$tree/bin/afl-fuzz" <<'EOF'
#!/usr/bin/env bash
while [ $# -gt 0 ]; do
    case $1 in
    -S) name=$2 ;;
    -o) out=$2 ;;
    -V) seconds=$2 ;;
    esac
    shift
done
found=$out/$name
mkdir -p "$found/crashes" "$found/hangs"
printf '\1%031d' 0 | tr 0 '\0' >"$NPJOB_CAMPAIGN_STATS.$$"
eval "$AFLPP"
EOF
chmod +x "$tree/scripts/fuzz" "$tree/scripts/fuzz-build" "$tree/fuzz/fuzz_path" "$tree/bin/afl-fuzz"

# begin LIBFUZZER AFLPP PLAYED: the command of a campaign, but for its seconds, with an empty folder for builds.
begin()
{
    rm -rf "$build"
    mkdir "$build"
    campaign=(env PATH="$tree/bin:$PATH" STAND_IN="$tree" NPJOB_FUZZ_BUILD="$build" NPJOB_FUZZ_JOBS=2
        LIBFUZZER="$1" AFLPP="$2" PLAYED="$3" "$tree/scripts/fuzz" --target path)
}

# run STATUS [SECONDS]: the campaign, of one second if not said, ends so; what it says is in $tree/said.
run()
{
    local status=0
    "${campaign[@]}" "${2-1}" >"$tree/said" 2>&1 || status=$?
    cat "$tree/said"
    [ "$status" -eq "$1" ]
}

says()
{
    grep -qE "$1" "$tree/said"
}

# The folders of campaigns that are left, and the findings that are kept.
left()
{
    find "$build" -maxdepth 1 -name 'fuzz-campaign.*' | wc -l
}
kept()
{
    find "$build/fuzz-findings" -type f | wc -l
}

idle='exec sleep "$seconds"'
find_one='echo bad >"${found}crash-1"; exit 77'
second_one='! mkdir "${found}first" 2>/dev/null'

nothing_found()
{
    begin "$idle" "$idle" false
    run 0 && says 'engine=libfuzzer target=path .*execs=2 .*findings=0$' && says 'engine=aflpp .*findings=0$' && [ "$(left)" -eq 0 ]
}

one_of_two_counts()
{
    begin "$second_one && $idle"'; rm "$NPJOB_CAMPAIGN_STATS.$$"; '"$idle" "$idle" false
    run 3 && says '^fuzz: libfuzzer has not counted everything, with no finding'
}

finding_is_kept_and_shown()
{
    begin "$find_one" "$idle" 'echo "what it was" >&2; exit 77'
    run 1 && says '^finding of libfuzzer, kept as .*/fuzz-findings/libfuzzer-path-[0-9a-f]+$' && says '^what it was$' &&
        says 'engine=libfuzzer .*findings=1$' && says 'engine=aflpp .*findings=0$' && [ "$(kept)" -eq 1 ] && [ "$(left)" -eq 0 ]
}

seed_that_crashes_under_aflpp()
{
    begin "$idle" "$idle" 'echo "what it was" >&2; exit 77'
    SEEDED='[[ $* != */seed-4* ]]' run 1 && says 'engine=libfuzzer .*findings=0$' && says '^finding of aflpp, kept as ' &&
        says '^what it was$' && says 'engine=aflpp .*findings=1$' && [ "$(kept)" -eq 1 ]
}

# To wait for each of them would take hours where there are hundreds.
seeds_that_all_hang()
{
    local began=$SECONDS
    begin "$idle" "$idle" 'echo "what it was" >&2; exit 77'
    SEEDED='exec sleep 100' run 1 && says '^what it was$' && says 'engine=aflpp .*findings=3$' && [ $((SECONDS - began)) -lt 40 ]
}

report_has_the_stack()
{
    begin "$find_one" "$idle" 'echo "$UBSAN_OPTIONS" >&2; exit 77'
    run 1 && says '^print_stacktrace=1$'
}

all_findings_are_kept()
{
    begin "$idle" 'for i in 1 2 3 4 5; do echo "$name$i" >"$found/crashes/id:$i"; done' false
    run 1 && says '^fuzz: [0-9]+ more findings of aflpp are kept in ' && [ "$(kept)" -ge 5 ] &&
        [ "$(grep -c '^finding of' "$tree/said")" -eq 3 ]
}

finding_that_cannot_be_kept()
{
    begin "$find_one" "$idle" false
    : >"$build/fuzz-findings"
    run 1 && says 'cannot be kept in' && says 'what libfuzzer has found is in ' &&
        [ -s "$(find "$build" -path '*/libfuzzer/findings/crash-1')" ]
}

full_output()
{
    local status=0
    begin "$idle" "$idle" false
    "${campaign[@]}" 1 >/dev/full || status=$?
    [ "$status" -eq 3 ] && [ "$(left)" -eq 0 ]
}

finding_that_does_not_show_again()
{
    begin "$find_one" "$idle" true
    run 1 && says 'not found again by the build with sanitizers' && says 'Nor is it by that for AFL.*; the logs of the campaign are in ' &&
        [ "$(left)" -eq 1 ]
}

engine_that_fails()
{
    begin "$idle" 'echo "why it failed"; exit 5' false
    run 3 && says 'aflpp has ended with status 5, with no finding' && says '^why it failed$' &&
        says 'engine=libfuzzer .*findings=0$' && [ "$(left)" -eq 1 ]
}

finding_before_an_engine_that_fails()
{
    begin "$find_one" 'exit 5' false
    run 1 && says 'aflpp has ended with status 5' && says 'engine=libfuzzer .*findings=1$'
}

engine_that_ends_too_early()
{
    begin "$idle" 'exit 0' false
    run 3 5 && says 'aflpp has ended after [0-4] of 5 s, with no finding'
}

engine_that_counts_nothing()
{
    begin "rm -f \"\$NPJOB_CAMPAIGN_STATS\".*; $idle" "$idle" false
    run 3 && says 'libfuzzer has counted nothing'
}

engine_that_does_not_end()
{
    begin "$second_one && exec sleep 100; $idle" "$idle" false
    run 3 && says 'libfuzzer has not ended [0-9]+ s after its time, with no finding' && says 'engine=aflpp .*findings=0$'
}

# libFuzzer says of an input that it takes too long when it has taken too long, which may be after the campaign's time.
finding_in_overtime()
{
    begin "$second_one && { sleep 2; $find_one; }; $idle" "$idle" false
    run 1 && says 'engine=libfuzzer .*findings=1$'
}

# interrupt_at FILE [SECONDS]: the campaign is ended as soon as a file of that name is there; $took is how long that took.
interrupt_at()
{
    local pid tick status=0
    "${campaign[@]}" "${2-100}" >"$tree/said" 2>&1 &
    pid=$!
    for ((tick = 0; tick < 300; tick++)); do
        [ -z "$(find "$build" -name "$1")" ] || break
        sleep 0.1
    done
    took=$SECONDS
    kill "$pid"
    wait "$pid" || status=$?
    took=$((SECONDS - took))
    cat "$tree/said"
    [ "$status" -eq 143 ]
}

# An input that is only slow stops no fuzzer.
interrupted()
{
    begin 'echo slow >"${found}slow-unit-1"; exec sleep 100' "$idle" false
    interrupt_at slow-unit-1 && says 'what libfuzzer has found is in ' && [ "$(left)" -eq 1 ]
}

interrupted_at_a_finding()
{
    begin "$find_one" "$idle" ': >"$NPJOB_FUZZ_BUILD/playing"; exec sleep 100'
    interrupt_at playing && [ "$took" -lt 3 ] && [ "$(kept)" -eq 1 ] && [ "$(left)" -eq 0 ]
}

interrupted_at_the_seeds()
{
    begin "$idle" "$idle" false
    SEEDED='[[ ${!#} != */seed-2 ]] || { : >"$NPJOB_FUZZ_BUILD/playing"; exec sleep 100; }; false' interrupt_at playing 1 &&
        says 'what aflpp has found is in ' && [ "$(left)" -eq 1 ]
}

check 'nothing is found' nothing_found
check 'a process that counts nothing is trouble' one_of_two_counts
check 'a finding is kept and shown' finding_is_kept_and_shown
check 'a seed that crashes under AFL++ is a finding' seed_that_crashes_under_aflpp
check 'seeds that all hang under AFL++ are found soon' seeds_that_all_hang
check 'a report has its stack' report_has_the_stack
check 'all findings are kept' all_findings_are_kept
check 'a finding that cannot be kept is not deleted' finding_that_cannot_be_kept
check 'an output that takes nothing is no finding' full_output
check 'a finding that does not show again' finding_that_does_not_show_again
check 'an engine that fails' engine_that_fails
check 'a finding stands before an engine that fails' finding_before_an_engine_that_fails
check 'an engine that ends too early' engine_that_ends_too_early
check 'an engine that counts nothing' engine_that_counts_nothing
check 'an engine that does not end' engine_that_does_not_end
check 'a finding in overtime' finding_in_overtime
check 'an interrupted campaign deletes no finding' interrupted
check 'nor what a seed has shown' interrupted_at_the_seeds
check 'an interrupted campaign does not wait for a finding to end' interrupted_at_a_finding
finish
