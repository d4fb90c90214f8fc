/* Publishes files into a directory as the kubelet does: for tests, demos and trying things by hand.
 * What is not named is removed, as with a ConfigMap that no longer has the key.
 *
 *     cmr-write DIRECTORY KEY=TEXT KEY=@FILE ...
 */
#include <cmreload.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_file(const char *path, size_t *size_out) {
    FILE *file = fopen(path, "rb");
    char *bytes = NULL;
    size_t size = 0, room = 0, got = 0;
    if (file == NULL)
        return NULL;
    do {
        size += got;
        if (size == room) {
            char *larger = realloc(bytes, room = room ? 2 * room : 4096);
            if (larger == NULL)
                break;
            bytes = larger;
        }
    } while ((got = fread(bytes + size, 1, room - size, file)) > 0);
    bool complete = feof(file);
    fclose(file);
    if (!complete) {
        free(bytes);
        return NULL;
    }
    *size_out = size;
    return bytes;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: cmr-write DIRECTORY KEY=TEXT KEY=@FILE ...\n");
        return 2;
    }
    size_t count = (size_t)argc - 2;
    cmr_file *files = calloc(count + 1, sizeof *files);
    char **loaded = calloc(count + 1, sizeof *loaded);
    int result = 1;
    if (files == NULL || loaded == NULL)
        goto done;
    for (size_t i = 0; i < count; i++) {
        char *value = strchr(argv[i + 2], '=');
        if (value == NULL) {
            fprintf(stderr, "cmr-write: %s: KEY=TEXT or KEY=@FILE expected\n", argv[i + 2]);
            goto done;
        }
        *value++ = '\0';
        files[i].key = argv[i + 2];
        files[i].bytes = value;
        files[i].size = strlen(value);
        if (value[0] == '@') {
            files[i].bytes = loaded[i] = read_file(value + 1, &files[i].size);
            if (loaded[i] == NULL) {
                fprintf(stderr, "cmr-write: cannot read %s\n", value + 1);
                goto done;
            }
        }
    }
    cmr_error error = CMR_ERROR_INIT;
    if (cmr_mount_write(argv[1], files, count, &error) == CMR_OK)
        result = 0;
    else
        fprintf(stderr, "cmr-write: %s: %s\n", error.key, error.message);
done:
    for (size_t i = 0; loaded != NULL && i < count; i++)
        free(loaded[i]);
    free(loaded);
    free(files);
    return result;
}
