/* See tree.h. */
#include "tree.h"

#include <stdlib.h>
#include <yaml.h>

enum { DEEPEST = 128 };

void tree_free(tree_node *node) {
    if (!node) return;
    for (size_t index = 0; index < node->count; index++) tree_free(node->children[index]);
    free(node->children);
    free(node->text);
    free(node);
}

static tree_node *append(tree_node *parent, int kind) {
    tree_node *node = calloc(1, sizeof *node);
    if (!node) abort();
    node->kind = kind;
    if (!parent) return node;
    if (parent->count == parent->capacity) {
        parent->capacity = parent->capacity ? 2 * parent->capacity : 4;
        parent->children = realloc(parent->children, parent->capacity * sizeof *parent->children);
        if (!parent->children) abort();
    }
    return parent->children[parent->count++] = node;
}

tree_node *tree_parse(const char *text, size_t size) {
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) return NULL;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    tree_node *open[DEEPEST] = {0}, *root = NULL;
    int depth = 0, is_done = 0, is_bad = 0;
    while (!is_done && !is_bad) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            is_bad = 1;
            break;
        }
        tree_node *node = NULL;
        switch (event.type) {
        case YAML_SCALAR_EVENT:
            node = append(open[depth], TREE_SCALAR);
            node->is_plain = event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
            node->size = event.data.scalar.length;
            node->text = (char *)event.data.scalar.value; /* taken over */
            event.data.scalar.value = NULL;
            break;
        case YAML_SEQUENCE_START_EVENT:
        case YAML_MAPPING_START_EVENT:
            node = append(open[depth], event.type == YAML_MAPPING_START_EVENT ? TREE_OBJECT
                                                                               : TREE_ARRAY);
            is_bad = depth + 1 == DEEPEST;
            if (!is_bad) open[++depth] = node;
            break;
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT: open[depth--] = NULL; break;
        case YAML_ALIAS_EVENT: is_bad = 1; break;
        case YAML_STREAM_END_EVENT: is_done = 1; break;
        default: break;
        }
        if (!root) root = node;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (!is_bad) return root;
    tree_free(root);
    return NULL;
}
