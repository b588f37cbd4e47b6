/* SPDX-License-Identifier: MIT */
/* The states that are known, and what may still go wrong on the ways from them. */
#include <stdlib.h>

#include "explore_state.h"

/* -------------------------------------------------------------------------------------------------------- purses */

/*
 * What may still be spent on the ways from a state: of each budget, and of all together. Fields of 6 bits with a bit of
 * 0 above each, so that all can be compared by one subtraction. ENDLESS is never spent. No budget holds more than all
 * together do: what cannot be spent is no difference.
 */
enum { FIELD = 7, ENDLESS = 63, TOGETHER = NPJT_BUDGETS, FIELDS, BITS = FIELDS * FIELD };

_Static_assert(BITS <= 64 && NPJT_SCOPE_BUDGET < ENDLESS, "a purse is one word");

static uint64_t field_of(uint64_t purse, unsigned field)
{
    return purse >> field * FIELD & ENDLESS;
}

static uint64_t fill(const uint8_t amount[FIELDS])
{
    uint64_t purse = 0;
    for (unsigned field = 0; field < FIELDS; field++) {
        uint64_t most = amount[field] < amount[TOGETHER] ? amount[field] : amount[TOGETHER];
        purse |= most << field * FIELD;
    }
    return purse;
}

static uint8_t amount_of(uint8_t number)
{
    return number == NPJT_ANY ? ENDLESS : number;
}

uint64_t npjt_explore_purse(const npjt_scope *scope)
{
    uint8_t amount[FIELDS];
    for (unsigned budget = 0; budget < NPJT_BUDGETS; budget++)
        amount[budget] = amount_of(scope->budget[budget]);
    amount[TOGETHER] = amount_of(scope->faults);
    return fill(amount);
}

bool npjt_explore_affords(uint64_t purse, npjt_budget budget)
{
    return budget == NPJT_BUDGETS || field_of(purse, budget) > 0;
}

uint64_t npjt_explore_pay(uint64_t purse, npjt_budget budget)
{
    uint8_t amount[FIELDS];
    if (budget == NPJT_BUDGETS)
        return purse;
    for (unsigned field = 0; field < FIELDS; field++) {
        uint64_t held = field_of(purse, field);
        bool paid = (field == budget || field == TOGETHER) && held != ENDLESS;
        amount[field] = (uint8_t)(held - paid);
    }
    return fill(amount);
}

/* Whether the one holds at least what the other does, of everything. */
static bool covers(uint64_t purse, uint64_t other)
{
    const uint64_t above = UINT64_C(0x4081020408102040); /* the bit above each field */
    return (((purse | above) - other) & above) == above;
}

/* -------------------------------------------------------------------------------------------------- known states */

static bool grow(struct known *known)
{
    size_t room = known->room ? known->room * 2 : 1 << 16;
    struct known_place *places = calloc(room, sizeof *places);
    if (places == NULL)
        return false;
    for (size_t i = 0; i < known->room; i++) {
        if (known->places[i].key == 0)
            continue;
        uint64_t at = known->places[i].key & (room - 1);
        while (places[at].key != 0)
            at = (at + 1) & (room - 1);
        places[at] = known->places[i];
    }
    free(known->places);
    known->places = places;
    known->room = room;
    return true;
}

static uint64_t place_of(const struct known *known, uint64_t at)
{
    return at & (known->room - 1);
}

/* Says that this key will be asked for: its place takes longer to come from memory than most events take. */
void npjt_explore_expect(const struct known *known, uint64_t key)
{
    __builtin_prefetch(&known->places[place_of(known, key)]);
}

/*
 * Whether a state is news. It is none if it is known with a purse that covers this one. A purse says which events there
 * are and has no part in what they do: all that can come of the state with the emptier purse comes of it with the
 * fuller too, by the same events, and there they are all tried. States are learnt breadth first, so that the way to the
 * one that is known is not the longer one: the shortest way to whatever lies behind is not lost either.
 */
bool npjt_explore_learn(struct known *known, uint64_t key, uint64_t purse)
{
    if (known->count * 2 >= known->room && !grow(known)) {
        known->no_memory = true;
        return false;
    }
    key = key != 0 ? key : 1;
    uint64_t at = place_of(known, key);
    for (; known->places[at].key != 0; at = place_of(known, at + 1))
        if (known->places[at].key == key && covers(known->places[at].purse, purse))
            return false;
    known->places[at] = (struct known_place){key, purse};
    known->count++;
    return true;
}

uint64_t npjt_explore_known_bytes(const struct known *known)
{
    return known->room * sizeof *known->places;
}

void npjt_explore_known_free(struct known *known)
{
    free(known->places);
}
