/* What call.c exports, from a shared library of its own. */
#ifndef CALL_H
#define CALL_H

#include <stdatomic.h>
#include <stdint.h>

uint64_t floor_call(const atomic_uint_least64_t *word);

#endif
