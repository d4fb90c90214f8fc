#pragma once
#include <stdint.h>
extern _Thread_local unsigned cs_stripe __attribute__((tls_model("initial-exec")));
static inline unsigned cs_stripe_get(void) { return cs_stripe; }
int cs_errno(void);
