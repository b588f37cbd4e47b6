# SPDX-License-Identifier: MIT
"""What scripts/mutate and scripts/mutants are made of."""
