// The other unit, in C++: it calls into the library and into the C unit: both linkages must agree.
#include <cmreload.h>
#include <cmreload.h>

#include <cstring>

extern "C" uint64_t word_seen_from_c(const uint64_t *word);

int main()
{
    const uint64_t word = 7;
    cmr_error error = CMR_ERROR_INIT;
    cmr_stats stats = CMR_STATS_INIT;
    bool initialised = error.struct_size == sizeof error && stats.struct_size == sizeof stats;
    bool same = word_seen_from_c(&word) == cmr_version_load(&word);
    bool version = std::strcmp(cmr_version(), CMR_VERSION) == 0
        && cmr_abi_version() == ((CMR_VERSION_MAJOR << 16) | CMR_VERSION_MINOR);
    return initialised && same && version ? 0 : 1;
}
