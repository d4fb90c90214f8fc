/* What loading a shared library costs a fresh process. Prints the time that dlopen took in
 * nanoseconds, and by how many KiB the resident memory grew.
 *
 *     load LIBRARY
 */
#include <dlfcn.h>
#include <stdio.h>

#include "kubelet.h"
#include "resident.h"

int main(int count, char **arguments) {
    if (count != 2) return 2;
    long before = resident_kib();
    uint64_t start = monotonic_ns();
    void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    uint64_t end = monotonic_ns();
    if (!library) {
        fprintf(stderr, "load: %s\n", dlerror());
        return 1;
    }
    printf("%llu %ld\n", (unsigned long long)(end - start), resident_kib() - before);
    return 0;
}
