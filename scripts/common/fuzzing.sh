# SPDX-License-Identifier: MIT
# Sourced by the scripts that fuzz, behind script.sh: what they have in common.

build=${NPJOB_FUZZ_BUILD:-$root/build}
export NPJOB_FUZZ_BUILD=$build
# A tape of a header and 256 records, which is long enough for what is deep, and short enough to be fast; the other targets'
# inputs are as long.
max_len=1040
# AFL++ asks nothing of the machine, and draws no picture.
export AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_AFFINITY=1
# Where it looks for a crash, in haste.
until_crash=(AFL_BENCH_UNTIL_CRASH=1 AFL_DISABLE_TRIM=1 AFL_FAST_CAL=1)
