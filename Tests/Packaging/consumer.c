/* The least that a program can do with an installed library: compile, link, load, and get the
 * version that the header promised. */
#include <cmreload.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    if (strcmp(cmr_version(), CMR_VERSION) != 0) {
        return 1;
    }
    printf("libcmreload %s\n", cmr_version());
    return 0;
}
