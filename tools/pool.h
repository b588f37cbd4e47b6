/* SPDX-License-Identifier: MIT */
/** @file The memory that an engine is given: malloc, counted. */
#ifndef NPJ_POOL_H
#define NPJ_POOL_H

#include "npjob/npjob.h"

/** The allocator, for npj_config.mem, that counts its bytes in @p pool. Zero that before use. */
npj_mem pool_mem(npj_gauge *pool);

#endif
