#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What scripts/proof writes of a step, and how it ends: proof_script_test.sh SOURCE_ROOT. Script and page are the real ones, in a
# tree of their own; what they call stands in for what takes minutes.
# shellcheck disable=SC2016 # their words are theirs to expand
set -euo pipefail
cd "$1"
. tests/tap.sh
. tests/steps_support.sh

mkdir "$tree/docs"
cp scripts/proof scripts/proof-page "$tree/scripts"
printf '#!/bin/sh\n' | tee "$tree/scripts/bootstrap" "$tree/scripts/configure" >"$tree/bin/ninja"
printf '#!/bin/sh\n[ "$1" = diff ] && exec "${CHANGED:-true}"\necho 1234567\n' >"$tree/bin/git"
printf '#!/bin/sh\ncd "%s" && eval "$DEPTH"\n' "$tree" >"$tree/scripts/depth"
chmod +x "$tree"/bin/* "$tree"/scripts/{bootstrap,configure,depth}

# proof STATUS DEPTH LINE: with a step that does DEPTH it ends so, and the page has the line.
proof()
{
    local status=0
    DEPTH=$2 "$tree/scripts/proof" depth || status=$?
    cat "$tree/docs/proof.md"
    [ "$status" -eq "$1" ] && grep -qE "$3" "$tree/docs/proof.md"
}

changed()
{
    CHANGED=false proof 0 true ' at 1234567 with changes, on '
}

begin_proof() # DEPTH
{
    DEPTH=$1 begin "$tree/scripts/proof" depth
}

# Nothing of the step is left, and the log of before is.
interrupted()
{
    local status=0
    proof 0 'echo before' '^before$'
    begin_proof 'sleep 30 & : >begun; wait; : >ended'
    kill "$script"
    wait "$script" || status=$?
    [ "$status" -eq 143 ] && [ ! -e "$tree/ended" ] && [ "$(ls "$tree/build/proof")" = $'build.log\ndepth.log' ] &&
        grep -qx before "$tree/build/proof/depth.log"
}

# Neither disturbs the other.
twice()
{
    local status=0 said
    begin_proof 'echo first; : >begun; until [ -e over ]; do sleep 0.1; done'
    said=$(DEPTH=false "$tree/scripts/proof" depth 2>&1) || status=$?
    : >"$tree/over"
    wait "$script"
    echo "$said"
    [ "$status" -eq 1 ] && [ "$said" = 'proof: runs in this tree already' ] && grep -qx first "$tree/docs/proof.md"
}

# Nor is what a step has said when its end cannot be written down.
log_is_lost()
{
    local status=0
    proof 0 'echo before' '^before$'
    DEPTH='rm build/proof/depth.log.new; ln -s /dev/full build/proof/depth.log.new' "$tree/scripts/proof" depth || status=$?
    [ "$status" -eq 1 ] && grep -qx before "$tree/docs/proof.md" && [ ! -L "$tree/build/proof/depth.log" ] &&
        grep -qx before "$tree/build/proof/depth.log"
}

no_clone()
{
    local status=0 said
    printf '#!/bin/sh\nexit 128\n' >"$tree/bin/git"
    said=$(DEPTH=true "$tree/scripts/proof" depth 2>&1) || status=$?
    [ "$status" -eq 1 ] && grep -qx 'proof: this is no clone: a proof names its commit' <<<"$said"
}

check 'a step that passes is on the page' proof 0 true '^It ended with exit status 0 after [0-9]+ s, at 1234567, on '
check 'a step that fails is on the page' proof 1 'exit 3' '^It ended with exit status 3 after '
check 'a tree that is changed is no commit' changed
check 'a signal ends the step that runs' interrupted
check 'a second run in the same tree is refused' twice
check 'a log that cannot be written is no step that has passed' log_is_lost
check 'where there is no commit there is no proof' no_clone
finish
