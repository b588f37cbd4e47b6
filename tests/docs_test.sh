#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The pages under docs/ that npj makes: still what it would make today?
# usage: docs_test.sh NPJ DOCS
set -u
. "$(dirname "$(realpath "$0")")/tap.sh"
npj=$1
docs=$2
folder=$(mktemp -d "${TMPDIR:-/tmp}/npj.XXXXXX")
trap 'rm -rf "$folder"' EXIT

same() # OPTION FILE
{
    "$npj" states "$1" >"$folder/$2" && diff -u "$docs/$2" "$folder/$2"
}

# Another version of graphviz draws with other numbers, but all nodes and edges are there, and no others.
parts() # SVG
{
    sed -n 's|^<title>\(.*\)</title>$|\1|p' "$1" | sed 's/&#45;/-/g; s/&gt;/>/g' | sort
}

wanted()
{
    sed -nE 's/^  ([A-Za-z_]+) -> ([A-Za-z_]+) \[.*/\1->\2/p; s/^  ([A-Za-z_]+) \[pos.*/\1/p; s/^digraph (.*) \{/\1/p' \
        "$docs/states.dot" | sort
}

picture() # SVG
{
    wanted | grep -q . && diff <(wanted) <(parts "$1")
}

drawn()
{
    "$npj" states --svg "$folder/states.svg" && picture "$folder/states.svg"
}

# One row for each event, one column for each state.
table()
{
    "$npj" states | awk 'NR == 1 { columns = NF; next } NF == 0 { exit } { rows++; bad += NF != columns + 1 }
        END { exit bad > 0 || rows != 14 || columns != 12 }'
}

check 'docs/states.md is what npj makes' same --markdown states.md
check 'docs/states.dot is what npj makes' same --dot states.dot
check 'docs/states.svg shows what docs/states.dot says' picture "$docs/states.svg"
if command -v dot >/dev/null; then
    check 'so does a new picture' drawn
fi
check 'npj states is a table of 14 events and 12 states' table
finish
