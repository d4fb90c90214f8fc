/* Runs a fuzzer on the inputs that are given, once each: what once broke stays mended. */
#include "fuzz.h"

int main(int count, char **paths)
{
    static uint8_t content[1 << 16];
    for (int index = 1; index < count; index++) {
        FILE *file = fopen(paths[index], "rb");
        if (!file) broken(paths[index], 0, "it can be read");
        size_t size = fread(content, 1, sizeof content, file);
        fclose(file);
        fprintf(stderr, "%s\n", paths[index]);
        LLVMFuzzerTestOneInput(content, size);
    }
    printf("%d passed, 0 failed\n", count - 1);
    return 0;
}
