/* Where libyaml's memory comes from: the allocator of whoever parses, which may say no and wipes
 * what is secret. libyaml calls malloc(3) and its like by name, so the linker leads these calls
 * here (--wrap, in Package.swift), and those of the rest of the library with them: they go on to
 * libc, as do libyaml's own where nothing is lent.
 */
#include "CYAML.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local const cyaml_memory *lent __attribute__((tls_model("initial-exec")));

void cyaml_lend(const cyaml_memory *memory) { lent = memory; }

/* What stands in front of a block: how large the two are. */
typedef struct head {
    _Alignas(16) size_t size;
} head;

/* While the allocator works it has libc's memory. */
static void *allocate(const cyaml_memory *memory, size_t size)
{
    if (size > PTRDIFF_MAX - sizeof(head)) return NULL;
    size += sizeof(head);
    lent = NULL;
    head *block = memory->allocate((ptrdiff_t)size);
    lent = memory;
    if (!block) return NULL;
    block->size = size;
    return block + 1;
}

static void give_back(const cyaml_memory *memory, void *bytes)
{
    if (!bytes) return;
    head *block = (head *)bytes - 1;
    lent = NULL;
    memory->free(block, (ptrdiff_t)block->size);
    lent = memory;
}

static void *move(const cyaml_memory *memory, void *bytes, size_t size)
{
    void *moved = allocate(memory, size);
    if (!moved || !bytes) return moved;
    size_t before = ((head *)bytes - 1)->size - sizeof(head);
    memcpy(moved, bytes, before < size ? before : size);
    give_back(memory, bytes);
    return moved;
}

static char *copy(const cyaml_memory *memory, const char *text)
{
    size_t size = strlen(text) + 1;
    void *copied = allocate(memory, size);
    return copied ? memcpy(copied, text, size) : NULL;
}

/* ---- What the linker calls instead of libc's ---- */

void *__real_malloc(size_t size);
void *__real_realloc(void *bytes, size_t size);
void __real_free(void *bytes);
char *__real_strdup(const char *text);

void *__wrap_malloc(size_t size) { return lent ? allocate(lent, size) : __real_malloc(size); }
void *__wrap_realloc(void *bytes, size_t size)
{
    return lent ? move(lent, bytes, size) : __real_realloc(bytes, size);
}
void __wrap_free(void *bytes) { lent ? give_back(lent, bytes) : __real_free(bytes); }
char *__wrap_strdup(const char *text) { return lent ? copy(lent, text) : __real_strdup(text); }
