#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# npj explore from outside: explore_test.sh NPJ. The numbers of states and transitions are pinned: a change of the engine that
# opens or closes a way shows here, and is looked at before the numbers are changed.
set -euo pipefail
npj=$1
scopes='kinds kept little pool job late pair turns times unset keys'
# Sanitizers make it ten times slower: there the scope with writes and pipes of all kinds has to do.
[ -z "${NPJ_TEST_SANITIZED-}" ] || scopes=kinds
. "$(dirname "$0")/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pinned='scope=job jobs=1 packets=2 states=187310 transitions=4299525
scope=kinds jobs=1 packets=3 states=58980 transitions=2051896
scope=pair jobs=2 packets=3 states=86709 transitions=2070909
scope=kept jobs=1 packets=1 states=37940 transitions=1131372
scope=little jobs=1 packets=3 states=39487 transitions=532939
scope=pool jobs=2 packets=8 states=183937 transitions=3206666
scope=late jobs=1 packets=2 states=182123 transitions=2435670
scope=turns jobs=2 packets=2 states=372410 transitions=6972720
scope=times jobs=2 packets=3 states=37974 transitions=633796
scope=unset jobs=2 packets=2 states=15552 transitions=260112
scope=keys jobs=3 packets=1 states=186040 transitions=3733920'

# The small scopes close without a violation, at the pinned numbers. Each leaves its seeds.
counts()
{
    local scope line
    for scope in $scopes; do
        mkdir "$work/seeds-$scope"
        line=$("$npj" explore --seeds "$work/seeds-$scope" "$scope") || return 1
        printf '%s\n' "$line"
        [[ $line == "explore: scope=$scope "*' violations=0 closed=yes' ]] || return 1
        line=${line#explore: }
        grep -qxF "${line% seconds=*}" <<<"$pinned" || return 1
    done
}

# Of several scopes the shortest stays, whichever comes last.
shortest()
{
    local name scope least
    for scope in 'kinds pair' 'pair kinds' kinds pair; do
        mkdir -p "$work/${scope/ /-}"
        # shellcheck disable=SC2086
        "$npj" explore --max-states 2000 --seeds "$work/${scope/ /-}" $scope || return 1
    done
    for name in "$work"/kinds-pair/*.tape; do
        name=${name##*/}
        least=$(grep -c '' "$work"/{kinds,pair}/"$name" 2>/dev/null | sed 's/.*://' | sort -n | head -n 1)
        for scope in kinds-pair pair-kinds; do
            [ "$(wc -l <"$work/$scope/$name")" -eq "$least" ] || { echo "$scope: $name"; return 1; }
        done
    done
}

# Every tape that it writes is one that the driver plays to its end, under all laws, and there is one for each outcome.
seeds()
{
    [ "$(find "$work/seeds-kinds" -name '*.tape' | wc -l)" -ge 170 ] || return 1
    "$npj" tape run "$work"/seeds-*/*.tape
}

# A part of a tape is a tape, and would pass for it.
full_disk()
{
    local status=0
    mkdir "$work/full"
    (trap '' XFSZ; ulimit -f 0; exec "$npj" explore --max-states 200 --seeds "$work/full" job 2>&1) | cat || status=$?
    [ "$status" -eq 3 ] && [ -z "$(ls "$work/full")" ]
}

# Names that do not fit behind it would be cut off, and be one.
long_folder()
{
    local long=$work/kept/
    mkdir "$work/kept"
    refused 3 --max-states 200 --seeds "$long$(printf './%.0s' $(seq $(((4000 - ${#long}) / 2))))" job || return 1
    [ -z "$(ls "$work/kept")" ] && grep -q 'File name too long' "$work/error" &&
        "$npj" explore --max-states 200 --seeds "$long$(printf './%.0s' $(seq $(((3900 - ${#long}) / 2))))" job &&
        [ "$(ls "$work/kept" | grep -c '[.]tape$')" -eq "$(ls "$work/kept" | wc -l)" ]
}

json()
{
    "$npj" explore --json --max-states 1000 job pair >"$work/json" || return 1
    python3 -c '
import json, sys
results = [json.loads(line) for line in open(sys.argv[1])]
assert [r["scope"] for r in results] == ["job", "pair"]
assert all(r["closed"] is False and r["violations"] == 0 and r["states"] >= 1000 for r in results)' "$work/json"
}

# refused STATUS WORDS...: one line, that status, and no search.
refused()
{
    local status=0
    "$npj" explore "${@:2}" >"$work/out" 2>"$work/error" || status=$?
    cat "$work/error"
    [ "$status" -eq "$1" ] && [ ! -s "$work/out" ] && [ "$(wc -l <"$work/error")" -eq 1 ]
}

check 'the small scopes close at the pinned numbers' counts
check 'the seeds that it writes are good tapes' seeds
check 'of several scopes the shortest seed stays' shortest
check 'on a full disk no part of a seed is left' full_disk
check 'a folder whose path leaves no room for names is refused' long_folder
check 'a bounded search says that it is not closed, in JSON' json
check 'an unknown scope is refused' refused 2 elephant
check 'more scopes than there is room for are refused' refused 2 --max-states 1 --small --small
check 'a bad number is refused' refused 2 --max-states 0
check 'a folder that is not there is refused' refused 3 --max-states 200 --seeds "$work/nowhere" job
check 'the scopes are listed' grep -q '^large$' <("$npj" explore --list)
finish
