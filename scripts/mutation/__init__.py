#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What scripts/mutate and scripts/mutants are made of."""
