/* SPDX-License-Identifier: MIT */
/* A user of the test kit outside the tree: an engine of his own under the counting allocator, with a leak to be found.
 */
#include <stdio.h>

#include "npjob-testkit/counting.h"

int main(void)
{
    npjt_counting pool;
    npjt_counting_init(&pool, NULL);
    npj_mem mem = npjt_counting_mem(&pool);
    void *kept = mem.alloc(mem.user, 24);
    void *released = mem.alloc(mem.user, 40);
    mem.release(mem.user, released, 40);
    uint64_t leaks = npjt_counting_leaks(&pool);
    mem.release(mem.user, kept, 24);
    uint64_t findings = npjt_counting_finish(&pool);
    if (leaks != 1 || findings != 1) {
        fprintf(stderr, "kit: %u leaks and %u findings instead of one\n", (unsigned)leaks, (unsigned)findings);
        return 1;
    }
    return 0;
}
