#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the engine's cycle takes, in instructions: no more than is pinned in tests/instructions.txt, and a tenth.
# usage: instructions_test.sh [--pin] COUNT COMPILER FILE
# COUNT is the program of bench/count.c, COMPILER what has built it, as gcc-12-x86_64. With --pin, FILE is given the figures of today.
set -euo pipefail

pin=
if [ "${1-}" = --pin ]; then
    pin=1
    shift
fi
count=$1
compiler=$2
file=$3

command -v valgrind >/dev/null || { echo '1..0 # SKIP there is no valgrind here'; exit 0; }

# collected ARGUMENT...: the instructions of one run.
collected()
{
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$count" "$@" 2>&1 | sed -n 's/.*Collected : //p'
}

# measure ITEMS ROUNDS ARGUMENT...: the instructions of one item, by the difference of a run of three times ROUNDS to one of
# ROUNDS.
measure()
{
    local items=$1 rounds=$2 few many
    shift 2
    few=$(collected "$@" "$rounds")
    many=$(collected "$@" $((3 * rounds)))
    echo $(((many - few) / 2 / rounds / items))
}

pinned()
{
    awk -v compiler="$compiler" -v work="$1" '$1 == compiler && $2 == work { print $3 }' "$file"
}

# at_most WORK MEASURED
at_most()
{
    local limit
    limit=$(pinned "$1")
    echo "$1: $2 instructions, pinned: $limit"
    [ "$2" -gt 0 ] && [ $((10 * $2)) -le $((11 * limit)) ]
}

# Work, items of a round, rounds, arguments of COUNT. What waits behind a WRITE must not make it dearer: lend-4096.
works='lend-1 1 100 lend 512 1
lend-64 64 100 lend 512 64
lend-4096 4096 2 lend 512 4096
copy-512-64 64 100 copy 512 64'

if [ -z "$pin" ] && [ -z "$(pinned lend-1)" ]; then
    echo "1..0 # SKIP nothing is pinned for $compiler"
    exit 0
fi
. "$(dirname "$0")/tap.sh"
while read -r work items rounds arguments; do
    measured=$(measure "$items" "$rounds" $arguments)
    if [ -n "$pin" ]; then
        kept=$(awk -v compiler="$compiler" -v work="$work" '!($1 == compiler && $2 == work)' "$file")
        printf '%s\n%s %s %s\n' "$kept" "$compiler" "$work" "$measured" >"$file"
        continue
    fi
    check "$work: $measured instructions a write" at_most "$work" "$measured"
    [ $((11 * measured)) -ge $((10 * $(pinned "$work"))) ] ||
        echo "# $work takes fewer than are pinned: instructions_test.sh --pin $*"
done <<<"$works"
[ -z "$pin" ] || exit 0
finish
