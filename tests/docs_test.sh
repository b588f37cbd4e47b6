#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The pages under docs/ that npj makes: still what it would make today?
# usage: docs_test.sh NPJ DOCS
set -u

npj=$(realpath "$1")
docs=$(realpath "$2")
folder=$(mktemp -d "${TMPDIR:-/tmp}/npj.XXXXXX")
trap 'rm -rf "$folder"' EXIT
failures=0

fail() {
    printf 'FAILED: %s\n' "$*"
    failures=$((failures + 1))
}

same() { # OPTION FILE
    "$npj" states "$1" >"$folder/$2" || fail "npj states $1"
    diff -u "$docs/$2" "$folder/$2" || fail "docs/$2 is not what npj states $1 says; write it again"
}

same --markdown states.md
same --dot states.dot

# Another version of graphviz draws with other numbers, but all nodes and edges are there, and no others.
parts() { # SVG
    sed -n 's|^<title>\(.*\)</title>$|\1|p' "$1" | sed 's/&#45;/-/g; s/&gt;/>/g' | sort
}

wanted() {
    sed -nE 's/^  ([A-Za-z_]+) -> ([A-Za-z_]+) \[.*/\1->\2/p; s/^  ([A-Za-z_]+) \[pos.*/\1/p; s/^digraph (.*) \{/\1/p' \
        "$docs/states.dot" | sort
}

check_picture() { # SVG
    wanted | grep -q . && diff <(wanted) <(parts "$1") || fail "$1 does not show what docs/states.dot says"
}

check_picture "$docs/states.svg"
if command -v dot >/dev/null; then
    "$npj" states --svg "$folder/states.svg" || fail 'npj states --svg'
    check_picture "$folder/states.svg"
else
    echo 'dot is not there: no new picture is drawn'
fi

# As text: one row for each event, one column for each state.
columns=$("$npj" states | awk 'NR == 1 { print NF }')
"$npj" states | awk -v columns="$columns" 'NR == 1 { next } NF == 0 { exit } { rows++; if (NF != columns + 1) bad++ }
    END { exit bad > 0 || rows != 14 || columns != 12 }' || fail 'npj states is no table of 14 events and 12 states'

[[ $failures -eq 0 ]] && echo 'docs: all as npj makes them'
[[ $failures -eq 0 ]]
