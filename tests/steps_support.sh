# SPDX-License-Identifier: MIT
# Sourced by the tests of scripts that take many steps: a tree of their own, and the script met in the middle of a step.

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/scripts" "$tree/bin"
cp -r scripts/common "$tree/scripts"
export PATH=$tree/bin:$PATH

# begin COMMAND...: until its step has begun, which it says by a file. Sets $script, its process.
begin()
{
    rm -f "$tree"/{begun,ended}
    "$@" &
    script=$!
    until [ -e "$tree/begun" ]; do
        sleep 0.1
    done
}
