/* What the fuzzers of the C interface share. A broken promise ends the process, as libFuzzer wants
 * it. replay.c runs the same functions on the corpus, against any library.
 */
#ifndef FUZZ_H
#define FUZZ_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <cmreload.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Noreturn void broken(const char *file, int line, const char *promise);
#define demand(promise) ((promise) ? (void)0 : broken(__FILE__, __LINE__, #promise))

/* What a call may answer beside CMR_OK: MAY(IO) | MAY(LIMIT). */
#define MAY(status) (1u << CMR_E_##status)

/* An error that shows whether it was written. */
extern const cmr_error unwritten_error;
/* Whether a status is one of those that the header lists, and the error says the same in words that
 * are text; on CMR_OK it is as it was. */
void check_status(cmr_status status, const cmr_error *error, unsigned may);
/* Reads every key and value of a snapshot in every way, and as JSON. */
void check_snapshot(const cmr_snapshot *snapshot);

/* A directory of the process's own, removed when it ends. */
void scratch_directory(char *path, size_t size);
void remove_all(const char *path);
size_t count_descriptors(void);
/* Waits until as many are open as before: what was closed inside the library is closed soon. */
void await_descriptors(size_t count);

#endif
