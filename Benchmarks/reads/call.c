/* The floor of a call into a shared library: one acquire load behind an exported symbol. */
#include "call.h"

uint64_t floor_call(const atomic_uint_least64_t *word) {
    return atomic_load_explicit(word, memory_order_acquire);
}
