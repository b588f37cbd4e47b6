/* SPDX-License-Identifier: MIT */
/*
 * The worlds that wait to be expanded. Most of a world is as it was in the first: blocks that are not in use, limits,
 * the lists of sizes that no packet has. So of each are kept the pieces in which it differs from the first, behind a
 * map of where they are.
 */
#include <stdlib.h>
#include <string.h>

#include "explore_state.h"

enum { PIECE = EXPLORE_PIECE / sizeof(uint64_t), MAP = 64 /* pieces that one word of the map tells of */ };
enum { CHUNK_WORDS = 1 << 17 };

struct queue_chunk {
    struct queue_chunk *next;
    size_t used;
    uint64_t words[CHUNK_WORDS];
};

bool npjt_explore_queue_new(struct queue *queue, const void *plain, size_t bytes)
{
    *queue = (struct queue){.pieces = (uint32_t)(bytes / EXPLORE_PIECE)};
    queue->plain = malloc(bytes);
    if (queue->plain != NULL)
        memcpy(queue->plain, plain, bytes);
    return queue->plain != NULL;
}

static size_t maps_of(const struct queue *queue)
{
    return (queue->pieces + MAP - 1) / MAP;
}

static bool differ(const uint64_t *piece, const uint64_t *plain)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < PIECE; i++)
        bits |= piece[i] ^ plain[i];
    return bits != 0;
}

/* A chunk with room for the map and all pieces. */
static struct queue_chunk *chunk_with_room(struct queue *queue)
{
    struct queue_chunk *last = queue->last;
    if (last != NULL && CHUNK_WORDS - last->used >= maps_of(queue) + (size_t)queue->pieces * PIECE)
        return last;
    struct queue_chunk *chunk = queue->spare;
    queue->spare = NULL;
    if (chunk == NULL) {
        chunk = malloc(sizeof *chunk);
        queue->chunks += chunk != NULL;
    }
    if (chunk == NULL)
        return NULL;
    chunk->next = NULL;
    chunk->used = 0;
    if (last != NULL)
        last->next = chunk;
    else
        queue->first = chunk;
    return queue->last = chunk;
}

bool npjt_explore_queue_put(struct queue *queue, const void *world)
{
    struct queue_chunk *chunk = chunk_with_room(queue);
    if (chunk == NULL)
        return false;
    const uint64_t *words = world;
    uint64_t *map = chunk->words + chunk->used;
    uint64_t *out = map + maps_of(queue);
    memset(map, 0, maps_of(queue) * sizeof *map);
    for (uint32_t i = 0; i < queue->pieces; i++) {
        const uint64_t *piece = words + (size_t)i * PIECE;
        if (!differ(piece, queue->plain + (size_t)i * PIECE))
            continue;
        memcpy(out, piece, EXPLORE_PIECE);
        out += PIECE;
        map[i / MAP] |= UINT64_C(1) << i % MAP;
    }
    chunk->used = (size_t)(out - chunk->words);
    return true;
}

static void drop_first(struct queue *queue)
{
    struct queue_chunk *chunk = queue->first;
    queue->first = chunk->next;
    if (queue->first == NULL)
        queue->last = NULL;
    queue->taken = 0;
    queue->chunks -= queue->spare != NULL;
    free(queue->spare);
    queue->spare = chunk;
}

bool npjt_explore_queue_take(struct queue *queue, void *world)
{
    if (queue->first != NULL && queue->taken == queue->first->used)
        drop_first(queue);
    if (queue->first == NULL)
        return false;
    const uint64_t *map = queue->first->words + queue->taken;
    const uint64_t *in = map + maps_of(queue);
    uint64_t *words = world;
    memcpy(words, queue->plain, (size_t)queue->pieces * EXPLORE_PIECE);
    for (uint32_t first = 0; first < queue->pieces; first += MAP)
        for (uint64_t bits = *map++; bits != 0; bits &= bits - 1, in += PIECE)
            memcpy(words + (size_t)(first + (unsigned)__builtin_ctzll(bits)) * PIECE, in, EXPLORE_PIECE);
    queue->taken = (size_t)(in - queue->first->words);
    return true;
}

uint64_t npjt_explore_queue_bytes(const struct queue *queue)
{
    return queue->chunks * sizeof(struct queue_chunk);
}

void npjt_explore_queue_free(struct queue *queue)
{
    while (queue->first != NULL)
        drop_first(queue);
    free(queue->spare);
    free(queue->plain);
}
