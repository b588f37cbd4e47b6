# SPDX-License-Identifier: MIT
# Sourced by the shell tests: their results in the Test Anything Protocol.
tap_count=0
tap_passed=0
# Without a name, nothing of it is left when a test is killed.
tap_output=$(mktemp)
exec 19<>"$tap_output"
rm "$tap_output"
tap_output=/dev/fd/19

# check NAME COMMAND...: one test, which passes if the command succeeds. If it does not, what it says goes to stderr,
# which is what meson shows of a test that failed.
check()
{
    local name=$1
    shift
    tap_count=$((tap_count + 1))
    if "$@" >"$tap_output" 2>&1 19>&-; then
        echo "ok $tap_count - $name"
        tap_passed=$((tap_passed + 1))
    else
        echo "not ok $tap_count - $name"
        tail -n 60 <"$tap_output" >&2
    fi
}

# finish: the plan, and the verdict as the exit status. A test that an error of the shell has ended, as one in $((...)) does,
# has neither passed nor failed.
finish()
{
    echo "1..$tap_count"
    [ "$tap_passed" -eq "$tap_count" ] && [ "$tap_count" -gt 0 ]
}
