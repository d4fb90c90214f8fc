/* The sources of a life, on a disk: a volume as the kubelet writes it (atomic_writer.go), a plain
 * directory, a single file. In memory, where there is some.
 */
#ifndef TREE_H
#define TREE_H

#include "model.h"

enum { PATH_SIZE = 256 };

typedef struct tree {
    char root[64];
    char paths[SOURCES][PATH_SIZE];
    source_kind kinds[SOURCES];
    bool is_away[SOURCES];
    content contents[SOURCES];
    unsigned generations[SOURCES], last_generation;
} tree;

/* The keys by their numbers, ABOUT_LEVEL and on. */
extern const char *const key_names[KEYS];

void tree_make(tree *tree, const config *config);
void tree_remove(tree *tree);
void tree_write(tree *tree, int source, content content);
/* Takes a source away in one step, or brings it back. */
void tree_move(tree *tree, int source, bool away);

#endif
