#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the host of the twins does, by each of their scripts: twin_transcripts_test.sh TWIN_TRANSCRIPTS SCRIPTS SHA256.
# Whoever changes what it does pins it anew, having seen in the transcripts of both what the change comes to:
#     twin_transcripts corpus/twin FOLDER && (cd FOLDER && sha256sum -- *) >corpus/twin.sha256
set -euo pipefail
. "$(dirname "$0")/tap.sh"
program=$(realpath "$1") scripts=$2 pinned=$(realpath "$3")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

as_pinned()
{
    (cd "$work" && sha256sum --check --quiet --strict "$pinned")
}

# A script that is not pinned, or a sum of none.
all_pinned()
{
    diff <(cd "$work" && ls) <(sed 's/^[^ ]*  //' "$pinned")
}

check 'each script is played' "$program" "$scripts" "$work"
check 'each is pinned' all_pinned
check 'each has the host do what is pinned' as_pinned
finish
