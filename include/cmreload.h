#ifndef CMRELOAD_H
#define CMRELOAD_H
#include <stdint.h>
#include <stddef.h>
#include <stdbool.h>
const char *cmr_version(void);
uint32_t cmr_abi_version(void);
#endif
