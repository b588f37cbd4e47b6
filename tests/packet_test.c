/* SPDX-License-Identifier: MIT */
/*
 * The blocks of packets, up to those that no test can fill: each class has the payload that its number says, and serves
 * what is longer than the class below holds.
 */
#include "inside.h"

static uint32_t payload_of(unsigned size_class)
{
    const struct npji_packet packet = {.size_class = (uint8_t)size_class};
    return (uint32_t)(npji_packet_block(&packet) - sizeof packet);
}

Test(packet, four_classes_for_each_power_of_two)
{
    cr_assert_eq(payload_of(0), 0);
    cr_assert_eq(payload_of(1), 64);
    for (unsigned size_class = 2; size_class < NPJI_SIZE_CLASSES; size_class++) {
        const uint32_t power = UINT32_C(64) << (size_class - 2) / 4;
        cr_expect_eq(payload_of(size_class), power + power / 4 * ((size_class - 2) % 4 + 1), "class %u", size_class);
    }
    cr_assert_eq(payload_of(NPJI_SIZE_CLASSES - 1), UINT32_C(1) << 31, "the last class is that of the longest write");
}

Test(packet, a_class_serves_what_is_longer_than_the_one_below_holds)
{
    for (unsigned size_class = 0; size_class < NPJI_SIZE_CLASSES; size_class++) {
        cr_expect_eq(npji_class_of(payload_of(size_class)), size_class, "class %u", size_class);
        if (size_class > 0)
            cr_expect_eq(npji_class_of(payload_of(size_class - 1) + 1), size_class, "class %u", size_class);
    }
}
