#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What scripts/test counts: tally_test.sh SOURCE_ROOT feeds scripts/tally with logs as meson writes them.
set -euo pipefail
cd "$1"
. tests/tap.sh

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# counts EXPECTED LINE...: the last line of the tally of a log of these lines.
counts()
{
    local expected=$1 said
    shift
    printf '%s\n' "$@" >"$log"
    said=$(scripts/tally "$log")
    echo "$said"
    [ "$(tail -n 1 <<<"$said")" = "$expected" ]
}

# names LINE LOG...: the tally of the log has the line.
names()
{
    local line=$1
    shift
    printf '%s\n' "$@" >"$log"
    scripts/tally "$log" | grep -Fx "$line"
}

# program RESULT [STDOUT [STDERR]]
program()
{
    printf '{"name": "unit", "result": "%s", "returncode": 1, "stdout": "%s", "stderr": "%s"}' "$1" "${2-}" "${3-}"
}

# Of a program in which something failed, and only of that.
last_words()
{
    printf '%s\n' "$(program FAIL '1..2\nok 1 - a\nnot ok 2 - b' 'one\ntwo')" "$(program OK '' 'three')" >"$log"
    diff <(printf '%s\n' 'failed: unit: b' 'said: one' 'said: two' '2 1 0') <(scripts/tally "$log")
}

check 'single tests count' counts '2 0 0' "$(program OK '1..2\nok 1 - a\nok - b  (0.01s)')"
check 'a failed one counts once' counts '1 1 0' "$(program FAIL '1..2\nok 1 - a\nnot ok 2 - b')"
check 'a crash after good ones is a failure' counts '2 1 0' "$(program FAIL '1..2\nok 1 - a\nok 2 - b')"
check 'fewer than announced is a failure' counts '1 1 0' "$(program ERROR '1..9\nok 1 - a')"
check 'a crash before the first word is a failure' counts '0 1 0' "$(program ERROR)"
check 'a time-out is a failure' counts '1 1 0' "$(program TIMEOUT 'ok 1 - before the plan')"
check 'what failed before a crash is named' names 'failed: unit: the culprit' "$(program ERROR 'ok 1 - a\nnot ok 2 - the culprit')"
check 'what failed before a crash counts once' counts '1 1 0' "$(program ERROR 'ok 1 - a\nnot ok 2 - the culprit')"
check 'a # in a name does not hide a skip' counts '0 0 1' "$(program OK '1..1\nok 1 - issue #12 # SKIP not here')"
check 'a # in a name is no skip' counts '1 0 0' "$(program OK '1..1\nok 1 - issue #12')"
check 'skipped ones are not passed' counts '1 0 1' "$(program OK '1..2\nok 1 - a # SKIP not here\nok 2 - b')"
check 'a skipped program is not passed' counts '0 0 1' "$(program SKIP)"
check 'an unexpected pass is a failure' counts '0 1 0' "$(program UNEXPECTEDPASS)"
check 'other programs count as one' counts '1 0 0' "$(program OK 'ok, done')"
check 'programs add up' counts '2 1 0' "$(program OK)" "$(program FAIL '1..2\nok 1 - a\nnot ok 2 - b')"
check 'last words' last_words
check 'no log is a failure' counts '0 1 0' 'this is no JSON'
check 'an empty log is a failure' counts '0 1 0' ''
check 'another log is a failure' counts '0 1 0' '{"name": "unit"}'
check 'a list is no log' counts '0 1 0' '[]'
finish
