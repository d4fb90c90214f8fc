/* One life of a watcher of the real library: does what a step says, and reads back what a model of
 * it is held to.
 */
#ifndef LIFE_H
#define LIFE_H

#include "model.h"

typedef struct life life;

life *life_begin(const config *config);
void life_step(life *life, step step, view *seen);
/* The rest of the life; removes what it left on the disk. */
void life_end(life *life);

/* In a child that was just forked: false when what can be read there is not what the parent saw
 * last, or the engine does not refuse. */
bool life_fork(life *life, const view *before);
/* The child asks to go on. */
void life_resume(life *life, view *seen);

#endif
