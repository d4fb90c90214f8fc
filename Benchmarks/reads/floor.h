/* The floors of reading: what the same answer costs in plain C with nothing behind it. A table of
 * keys that an atomic pointer publishes, hashed the wyhash way with the key's length known and
 * everything inlined; no types, no paths, no bounds, no NULL checks.
 */
#ifndef FLOOR_H
#define FLOOR_H

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

enum { FLOOR_SLOTS = 64 };

typedef struct floor_slot {
    const char *key;
    uint32_t key_size, hash;
    const char *text;
    uint32_t text_size;
} floor_slot;

typedef struct floor_table {
    floor_slot slots[FLOOR_SLOTS];
} floor_table;

static inline uint64_t floor_word(const char *from) {
    uint64_t word;
    memcpy(&word, from, sizeof word);
    return word;
}

static inline uint64_t floor_half(const char *from) {
    uint32_t half;
    memcpy(&half, from, sizeof half);
    return half;
}

static inline uint64_t floor_mix(uint64_t one, uint64_t two) {
    __uint128_t product = (__uint128_t)one * two;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint32_t floor_hash(const char *key, uint32_t size) {
    const uint64_t first = 0xa0761d6478bd642fu, second = 0xe7037ed1a0b428dbu;
    uint64_t low, high, seed = first;
    if (size > 16) {
        for (; size > 16; size -= 16, key += 16)
            seed = floor_mix(floor_word(key) ^ second, floor_word(key + 8) ^ seed);
        low = floor_word(key + size - 16);
        high = floor_word(key + size - 8);
    } else if (size >= 4) {
        uint32_t middle = (size >> 3) << 2;
        low = floor_half(key) << 32 | floor_half(key + middle);
        high = floor_half(key + size - 4) << 32 | floor_half(key + size - 4 - middle);
    } else {
        low = size ? (uint64_t)(uint8_t)key[0] << 16 | (uint64_t)(uint8_t)key[size >> 1] << 8
                | (uint8_t)key[size - 1] : 0;
        high = 0;
    }
    return (uint32_t)floor_mix(second ^ size, floor_mix(low ^ second, high ^ seed));
}

static inline void floor_insert(floor_table *table, const char *key, const char *text,
                                uint32_t text_size) {
    uint32_t size = (uint32_t)strlen(key), hash = floor_hash(key, size);
    uint32_t index = hash % FLOOR_SLOTS;
    while (table->slots[index].key) index = (index + 1) % FLOOR_SLOTS;
    table->slots[index] = (floor_slot){ key, size, hash, text, text_size };
}

static inline const floor_slot *floor_find(const floor_table *table, const char *key,
                                           uint32_t size) {
    uint32_t hash = floor_hash(key, size);
    for (uint32_t index = hash % FLOOR_SLOTS;; index = (index + 1) % FLOOR_SLOTS) {
        const floor_slot *slot = &table->slots[index];
        if (!slot->key) return NULL;
        if (slot->hash == hash && slot->key_size == size && !memcmp(slot->key, key, size))
            return slot;
    }
}

#endif
