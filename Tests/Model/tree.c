/* See tree.h. */
#define _GNU_SOURCE
#include "tree.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OVERSIZED_BYTES = 300 };

const char *const key_names[KEYS] = { "level", "own0.json", "own1.json" };

static void must(bool holds, const char *what) {
    if (holds) return;
    perror(what);
    exit(3);
}

static const char *join(char path[PATH_SIZE], const char *directory, const char *name) {
    must(snprintf(path, PATH_SIZE, "%s/%s", directory, name) < PATH_SIZE, "a path");
    return path;
}

static void write_file(const char *path, const char *bytes, size_t size) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    must(file >= 0 && write(file, bytes, size) == (ssize_t)size, path);
    close(file);
}

/* Each key says what the other one says, too. */
static void write_own(const char *path, content content) {
    char text[OVERSIZED_BYTES + 1];
    int size = snprintf(text, sizeof text, "{\"v\": %d, \"level\": %d%s", content.own,
                        content.level, content.own == BROKEN ? "" : "}");
    if (content.own == OVERSIZED) size = (int)strlen(memset(text, ' ', OVERSIZED_BYTES));
    write_file(path, text, (size_t)size);
}

static void write_keys(const char *directory, int source, content content) {
    char path[PATH_SIZE], text[32];
    if (content.level != NONE) {
        int size = snprintf(text, sizeof text, "%d of %d", content.level, content.own);
        write_file(join(path, directory, key_names[0]), text, (size_t)size);
    }
    if (content.own != NONE) write_own(join(path, directory, key_names[1 + source]), content);
}

static void remove_keys(const char *directory, int source) {
    char path[PATH_SIZE];
    unlink(join(path, directory, key_names[0]));
    unlink(join(path, directory, key_names[1 + source]));
}

/* The link of a key that the application sees; it comes after its data, and goes after it. */
static void link_key(const char *directory, const char *key, bool is_there) {
    char path[PATH_SIZE], target[64];
    snprintf(target, sizeof target, "..data/%s", key);
    join(path, directory, key);
    if (is_there) must(!symlink(target, path), path);
    else unlink(path);
}

static const char *generation_name(char name[PATH_SIZE], unsigned generation) {
    snprintf(name, PATH_SIZE, "..2026_11_22_08_45_04.%u", generation);
    return name;
}

static void swap(tree *tree, const char *directory, int source, content content) {
    char name[PATH_SIZE], old[PATH_SIZE], path[PATH_SIZE], data[PATH_SIZE];
    struct content before = tree->contents[source];
    unsigned replaced = tree->generations[source];
    tree->generations[source] = tree->last_generation;
    generation_name(name, tree->last_generation);
    must(!mkdir(join(path, directory, name), 0755), path);
    write_keys(path, source, content);
    must(!symlink(name, join(path, directory, "..data_tmp")), path);
    must(!rename(path, join(data, directory, "..data")), data);
    if ((before.level == NONE) != (content.level == NONE))
        link_key(directory, key_names[0], content.level != NONE);
    if ((before.own == NONE) != (content.own == NONE))
        link_key(directory, key_names[1 + source], content.own != NONE);
    if (!replaced) return;
    join(old, directory, generation_name(name, replaced));
    remove_keys(old, source);
    must(!rmdir(old), old);
}

static void rewrite(const char *directory, int source, content before, content content) {
    char path[PATH_SIZE];
    write_keys(directory, source, content);
    if (before.level != NONE && content.level == NONE)
        unlink(join(path, directory, key_names[0]));
    if (before.own != NONE && content.own == NONE)
        unlink(join(path, directory, key_names[1 + source]));
}

static void replace_file(const char *path, content content) {
    char temporary[PATH_SIZE];
    if (content.own == NONE) {
        unlink(path);
        return;
    }
    must(snprintf(temporary, PATH_SIZE, "%s.new", path) < PATH_SIZE, "a path");
    write_own(temporary, content);
    must(!rename(temporary, path), path);
}

static void away_path(const tree *tree, int source, char path[PATH_SIZE]) {
    snprintf(path, PATH_SIZE, "%s/away%d", tree->root, source);
}

void tree_write(tree *tree, int source, content content) {
    char away[PATH_SIZE];
    const char *place = tree->paths[source];
    struct content before = tree->contents[source];
    if (tree->kinds[source] == SINGLE) content.level = NONE;
    bool is_same = before.level == content.level && before.own == content.own;
    if (tree->kinds[source] == MOUNT && is_same && tree->generations[source]) return;
    tree->last_generation++;
    away_path(tree, source, away);
    if (tree->is_away[source]) place = away;
    switch (tree->kinds[source]) {
    case MOUNT: swap(tree, place, source, content); break;
    case DIRECTORY: rewrite(place, source, before, content); break;
    default: replace_file(place, content); break;
    }
    tree->contents[source] = content;
}

void tree_move(tree *tree, int source, bool away) {
    char path[PATH_SIZE];
    if (tree->is_away[source] == away) return;
    tree->is_away[source] = away;
    away_path(tree, source, path);
    /* A file without content is not there at all. */
    if (tree->kinds[source] == SINGLE && tree->contents[source].own == NONE) return;
    const char *from = away ? tree->paths[source] : path, *to = away ? path : tree->paths[source];
    must(!rename(from, to), to);
}

void tree_make(tree *tree, const config *config) {
    const char *base = getenv("TMPDIR");
    memset(tree, 0, sizeof *tree);
    snprintf(tree->root, sizeof tree->root, "%s/cmreload-model-XXXXXX",
             base && *base ? base : "/tmp");
    must(mkdtemp(tree->root), "a directory");
    for (int source = 0; source < SOURCES; source++) {
        char directory[PATH_SIZE];
        tree->kinds[source] = config->kinds[source];
        tree->contents[source] = (content){ NONE, NONE };
        snprintf(directory, sizeof directory, "%s/source%d", tree->root, source);
        must(!mkdir(directory, 0755), directory);
        bool is_file = tree->kinds[source] == SINGLE;
        if (is_file) join(tree->paths[source], directory, key_names[1 + source]);
        else strcpy(tree->paths[source], directory);
        tree_write(tree, source, (content){ 0, 0 });
    }
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place) {
    (void)status, (void)type, (void)place;
    return remove(path);
}

void tree_remove(tree *tree) { nftw(tree->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS); }
