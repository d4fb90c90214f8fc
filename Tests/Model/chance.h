/* Lives made by chance: the same seed makes the same life, on any machine. */
#ifndef CHANCE_H
#define CHANCE_H

#include "text.h"

enum { CHANCE_STEPS = 200 };

void chance_script(script *script, uint64_t seed);

/* A step of a forked child, which leaves the disk to its parent; the state is the seed at first. */
step chance_child_step(uint64_t *state);

#endif
