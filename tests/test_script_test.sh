#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How scripts/test ends before its time: test_script_test.sh SOURCE_ROOT. The script is the real one, in a tree of its own; what
# it calls stands in for what takes minutes.
# shellcheck disable=SC2016 # their words are theirs to expand
set -euo pipefail
cd "$1"
. tests/tap.sh
. tests/steps_support.sh

cp scripts/test "$tree/scripts"
printf '#!/bin/sh\n' | tee "$tree/scripts/bootstrap" >"$tree/scripts/configure"
printf '#!/bin/sh\nsleep 30 & echo $! >sleeper; : >begun; wait; : >ended\n' | tee "$tree/bin/ninja" >"$tree/bin/meson"
chmod +x "$tree"/bin/* "$tree"/scripts/{bootstrap,configure}

# Whoever runs us by nohup has a hangup ignored.
begin_test()
{
    begin env --default-signal=HUP "$tree/scripts/test" --quick >"$tree/said"
}

# interrupted SIGNAL STATUS: nothing of the step is left.
interrupted()
{
    local status=0
    begin_test
    kill -s "$1" "$script"
    wait "$script" || status=$?
    cat "$tree/said"
    [ "$status" -eq 1 ] && [ ! -e "$tree/ended" ] && grep -q "^failed: scripts/test itself (exit status $2)$" "$tree/said" || return 1
    while grep -qs '^State:.[^Z]' "/proc/$(cat "$tree/sleeper")/status"; do
        sleep 0.1
    done
}

# Neither disturbs the other.
twice()
{
    local status=0
    begin_test
    "$tree/scripts/test" --quick >"$tree/said-again" || status=$?
    kill "$script"
    wait "$script" || true
    cat "$tree/said-again"
    [ "$status" -eq 1 ] && grep -qx 'failed: scripts/test runs in this tree already' "$tree/said-again"
}

check 'SIGTERM ends the step that runs' interrupted TERM 143
check 'a hangup ends the step that runs' interrupted HUP 143
check 'a second run in the same tree is refused' twice
finish
