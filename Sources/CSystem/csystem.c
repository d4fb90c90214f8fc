#define _GNU_SOURCE
#include "csystem.h"
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <sys/random.h>
_Thread_local unsigned cs_stripe __attribute__((tls_model("initial-exec")));
int cs_errno(void) { return errno; }
void arc4random_buf(void *buffer, size_t size) { while (size) { size_t n = size < 256 ? size : 256; if (getentropy(buffer, n)) return; buffer = (char *)buffer + n; size -= n; } }
