/* A YAML text as a tree, built from libyaml's events the plain way: a node an allocation, arrays of
 * children that double. Scalars stay what libyaml made of them; anchors and aliases are not for it.
 */
#ifndef TREE_H
#define TREE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TREE_SCALAR, TREE_ARRAY, TREE_OBJECT };

typedef struct tree_node {
    int kind;
    int is_plain;
    char *text; /* of a scalar */
    size_t size;
    struct tree_node **children; /* elements; of an object names and values in turn */
    size_t count, capacity;
} tree_node;

/* NULL when the text is not YAML. */
tree_node *tree_parse(const char *text, size_t size);
void tree_free(tree_node *node);

#ifdef __cplusplus
}
#endif

#endif
