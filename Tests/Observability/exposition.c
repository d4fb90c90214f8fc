/* Prints metrics for Prometheus's own tools to judge: of watchers in every state, with and without
 * names, of the same name, and with names that need escaping.
 *
 *     exposition DIR           of all watchers, one exposition; DIR: an empty directory to use
 *     exposition DIR one       of one of them
 */
#include <cmreload.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NAMES = 6 };
static const char *const names[NAMES] = {
    "settings", NULL, NULL, "settings", "a \\ \"b\"\nc\xc3\xa4", "never started",
};

static void require(cmr_status status, const char *what)
{
    if (status == CMR_OK) return;
    fprintf(stderr, "exposition: %s: %s\n", what, cmr_status_name(status));
    exit(1);
}

static void publish(const char *mount, const char *content)
{
    const cmr_file file = {"features.json", content, strlen(content), 0, 0};
    require(cmr_mount_write(mount, &file, 1, NULL), "cannot write the mount");
}

int main(int count, char **arguments)
{
    cmr_watcher *watchers[NAMES];
    char mount[512], text[1 << 16];
    size_t size;
    if (count < 2) return 2;
    snprintf(mount, sizeof mount, "%s/mount", arguments[1]);
    mkdir(mount, 0755);
    publish(mount, "[1]");
    for (int index = 0; index < NAMES; index++) {
        require(cmr_watcher_create(&watchers[index]), "no watcher");
        if (names[index])
            require(cmr_watcher_set_name(watchers[index], names[index], NULL), "no name");
        require(cmr_watcher_add_mount(watchers[index], mount, NULL), "no mount");
        if (index + 1 < NAMES) require(cmr_watcher_start(watchers[index], NULL), "no start");
    }
    publish(mount, "[2]");
    for (int index = 0; index + 1 < NAMES; index++)
        require(cmr_watcher_reload(watchers[index], -1, NULL, NULL), "no reload");
    publish(mount, "[");
    if (cmr_watcher_reload(watchers[0], -1, NULL, NULL) != CMR_E_PARSE) return 1;
    require(count > 2 ? cmr_watcher_metrics(watchers[0], text, sizeof text, &size)
                      : cmr_metrics(text, sizeof text, &size), "no metrics");
    fputs(text, stdout);
    for (int index = 0; index < NAMES; index++) cmr_watcher_destroy(watchers[index]);
    return 0;
}
