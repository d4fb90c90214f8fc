/* One of two units that include the header, twice each, and are linked into one program. */
#include <cmreload.h>
#include <cmreload.h>

uint64_t word_seen_from_c(const uint64_t *word);

uint64_t word_seen_from_c(const uint64_t *word)
{
    return cmr_version_load(word) + cmr_abi_version() - cmr_abi_version();
}
