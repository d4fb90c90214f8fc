/* Reads a scenario: lines of words, comments, and blocks of text behind `|`. Knows no verb. */
#include "runner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *more(void *memory, size_t size) {
    void *larger = realloc(memory, size);
    if (larger == NULL)
        fail("out of memory");
    return larger;
}

static void append(word *self, const char *bytes, size_t size) {
    self->text = more(self->text, self->size + size + 1);
    memcpy(self->text + self->size, bytes, size);
    self->size += size;
    self->text[self->size] = '\0';
}

static word *new_word(line *self) {
    self->words = more(self->words, (size_t)(self->count + 1) * sizeof *self->words);
    word *added = &self->words[self->count++];
    *added = (word){0};
    append(added, "", 0);
    return added;
}

/* Reads what follows a backslash and returns what comes after it. */
static const char *escape(word *into, const char *at) {
    static const char from[] = "ntr\\\"", to[] = "\n\t\r\\\"";
    const char *found = *at != '\0' ? strchr(from, *at) : NULL;
    if (found != NULL) {
        append(into, &to[found - from], 1);
        return at + 1;
    }
    char digits[3] = {0}, *end, byte;
    if (*at == 'x' && at[1] != '\0' && at[2] != '\0') {
        memcpy(digits, at + 1, 2);
        byte = (char)strtol(digits, &end, 16);
        if (*end == '\0') {
            append(into, &byte, 1);
            return at + 3;
        }
    }
    fail("unknown escape \\%c", *at);
}

/* Reads one word, which begins at `at`, and returns what comes after it. */
static const char *read_word(line *self, const char *at) {
    word *word = new_word(self);
    if (*at != '\'' && *at != '"') {
        size_t size = strcspn(at, " \t");
        append(word, at, size);
        return at + size;
    }
    char quote = *at++;
    while (*at != quote) {
        if (*at == '\0')
            fail("a quote is not closed");
        if (quote == '"' && *at == '\\') {
            at = escape(word, at + 1);
        } else {
            append(word, at++, 1);
        }
    }
    if (at[1] != '\0' && at[1] != ' ' && at[1] != '\t')
        fail("a blank must follow a quote");
    return at + 1;
}

static void read_words(script *self, const char *text) {
    self->lines = more(self->lines, (size_t)(self->count + 1) * sizeof *self->lines);
    line *added = &self->lines[self->count++];
    *added = (line){.number = current_line.number};
    while (*(text += strspn(text, " \t")) != '\0')
        text = read_word(added, text);
}

/* `| text` adds a line of text to the last word; the first such line makes that word. */
static void read_block(script *self, const char *text, bool first) {
    if (self->count == 0)
        fail("text without a verb");
    line *owner = &self->lines[self->count - 1];
    word *word = first ? new_word(owner) : &owner->words[owner->count - 1];
    text += *text == ' ';
    append(word, text, strlen(text));
    append(word, "\n", 1);
}

script script_read(const char *path) {
    script self = {.path = path};
    current_path = path;
    current_line = (line){0};
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail("%s", strerror(errno));
    char *text = NULL;
    size_t room = 0;
    bool in_block = false;
    while (getline(&text, &room, file) >= 0) {
        current_line.number++;
        text[strcspn(text, "\n")] = '\0';
        const char *start = text + strspn(text, " \t");
        if (current_line.number == 1 && strncmp(start, "# ", 2) == 0)
            snprintf(self.title, sizeof self.title, "%s", start + 2);
        if (*start == '|')
            read_block(&self, start + 1, !in_block);
        else if (*start != '\0' && *start != '#')
            read_words(&self, start);
        in_block = *start == '|';
    }
    free(text);
    fclose(file);
    if (self.title[0] == '\0')
        fail("the first line must be a comment: the story in one sentence");
    return self;
}
