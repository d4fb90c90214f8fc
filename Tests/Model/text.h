/* Lives and what is seen in them as text: a life can be printed, kept in a file and lived again;
 * two views can be laid beside each other.
 *
 *     mount directory history 3 watches; restart; write 0 1 2; reload
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdio.h>

#include "model.h"

enum { MOST_STEPS = 400 };

/* A life that can be lived again: what with, and which steps. */
typedef struct script {
    config config;
    int count;
    step steps[MOST_STEPS];
} script;

void script_print(const script *script, FILE *file);
/* False when the text is no life. */
bool script_parse(script *script, const char *text);

void step_print(step step, FILE *file);
/* Prints the lines in which the two differ. */
void views_print(const view *expected, const view *seen, FILE *file);

#endif
