# SPDX-License-Identifier: MIT
# Sourced by the scripts that take many steps, one such script at a time in a tree. A signal ends the step that runs.

group= # of that step

# keep_tree FILE: fails if the tree is kept by this file already. What a step leaves behind does not keep it.
keep_tree()
{
    exec 9>"$1"
    flock -n 9
}

# in_group COMMAND...: in a group of its own, so that end_group ends it with all that it has started.
in_group()
{
    local status=0
    setsid bash -c '"$@"' bash "$@" </dev/null 9>&- &
    group=$!
    wait "$group" || status=$?
    group=
    return "$status"
}

end_group()
{
    [ -z "$group" ] || kill -- "-$group" 2>/dev/null || true
}

trap 'exit 130' INT
trap 'exit 143' TERM HUP
