/* Stands between a library that is built for tests and its allocator, by the linker's --wrap: the
 * host may refuse an allocation. What ships has none of this.
 */
#include <stdbool.h>
#include <stddef.h>

/* The host's say; a host that has none refuses nothing. */
__attribute__((weak)) bool refuses_memory(void);

static bool is_refused(void) { return refuses_memory && refuses_memory(); }

void *__real_cs_allocate(ptrdiff_t size);
void *__wrap_cs_allocate(ptrdiff_t size) { return is_refused() ? NULL : __real_cs_allocate(size); }

void *__real_cs_allocate_lines(ptrdiff_t size);
void *__wrap_cs_allocate_lines(ptrdiff_t size)
{
    return is_refused() ? NULL : __real_cs_allocate_lines(size);
}

void *__real_cs_allocate_for_caller(ptrdiff_t size);
void *__wrap_cs_allocate_for_caller(ptrdiff_t size)
{
    return is_refused() ? NULL : __real_cs_allocate_for_caller(size);
}
