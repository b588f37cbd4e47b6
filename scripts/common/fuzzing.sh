# SPDX-License-Identifier: MIT
# Sourced by the scripts that fuzz, behind script.sh: what they have in common.

build=${NPJOB_FUZZ_BUILD:-$root/build}
export NPJOB_FUZZ_BUILD=$build
set -a
. "$root/scripts/common/fuzzing.env"
set +a
# Where AFL++ looks for a crash, in haste.
until_crash=(AFL_BENCH_UNTIL_CRASH=1 AFL_DISABLE_TRIM=1 AFL_FAST_CAL=1)
