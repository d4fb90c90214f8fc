/* What a measured mount holds: the bytes of its shapes. See shape.h. */
#define _GNU_SOURCE
#include "shape.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STAMP_WIDTH = 10, /* digits left for a generation, padded with blanks: sizes stay the same */
    NUMBER_SIZE = 24, /* the longest number, and its NUL */
    PLAIN_SIZE = 100, /* of a value, where their number counts */
    SHORTEST_TEXT = 64,
    ROOM = 512,       /* what the last word, item or member may exceed the wished size by */
};

static uint64_t next(uint64_t *random) {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

static int number(shape_value *value) {
    value->bytes = calloc(1, NUMBER_SIZE);
    return value->bytes ? 0 : -1;
}

static void append(shape_value *value, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    value->size += (size_t)vsprintf(value->bytes + value->size, format, arguments);
    va_end(arguments);
}

static void append_stamp(shape_value *value) {
    value->stamps[value->stamp_count++] = value->size;
    append(value, "%*s", STAMP_WIDTH, "");
}

/* A sentence of words that begins with the key and the generation and is `size` bytes long. */
static int text(shape_value *value, size_t size, uint64_t *random) {
    static const char *const words[] = {
        "debug ", "eu-central-1 ", "30s ", "postgres://db.internal:5432/ ", "on ", "retry\n",
    };
    value->bytes = malloc(size + ROOM);
    if (!value->bytes) return -1;
    append(value, "value-of-%s gen=", value->key);
    append_stamp(value);
    append(value, ";");
    while (value->size < size) append(value, "%s", words[next(random) % 6]);
    value->size = size;
    value->bytes[size - 1] = '.';
    return 0;
}

/* A flat object when it is short, else a list of items such as feature flags are kept in. */
static int json(shape_value *value, size_t size, uint64_t *random) {
    value->bytes = malloc(size + ROOM);
    if (!value->bytes) return -1;
    append(value, "{\"gen\":");
    append_stamp(value);
    if (size < 1024) {
        append(value, ",\"dark_mode\":false,\"new_checkout\":true,\"sample_rate\":0.25");
    } else {
        append(value, ",\"items\":[");
        for (int id = 0; value->size + 200 < size; id++) {
            append(value, "%s{\"id\":%d,\"name\":\"flag-%08x\",\"enabled\":%s,\"weight\":%.4f,",
                   id ? "," : "", id, (unsigned)next(random), next(random) & 1 ? "true" : "false",
                   (double)(next(random) % 10000) / 10000.0);
            append(value, "\"owner\":null,\"tags\":[\"t%u\",\"blue\",\"r\\u00e9gion\"],",
                   (unsigned)(next(random) % 100));
            append(value, "\"limits\":{\"cpu\":%u,\"memory\":\"%uMi\"}}",
                   (unsigned)(next(random) % 64), (unsigned)(next(random) % 4096));
        }
        append(value, "]");
    }
    append(value, ",\"pad\":\"");
    while (value->size + 23 < size) append(value, "p");
    append(value, "\",\"gen_end\":");
    append_stamp(value);
    append(value, "}");
    return 0;
}

static shape_value *add(shape *made, const char *key, size_t index) {
    shape_value *value = &made->values[made->count++];
    snprintf(value->key, sizeof value->key, key, (int)index);
    return value;
}

/* So many keys beside GENERATION, each of so many bytes of text. One without room for a sentence is
 * the generation itself: a byte, of the first nine. */
static int plain(shape *made, size_t count, size_t size, uint64_t *random) {
    made->values = calloc(count + 1, sizeof *made->values);
    if (!made->values) return -1;
    int failed = number(add(made, "GENERATION", 0));
    while (made->count <= count) {
        shape_value *value = add(made, "KEY_%03d", made->count);
        failed |= size < SHORTEST_TEXT ? number(value) : text(value, size, random);
    }
    if (failed) {
        shape_free(made);
        return -1;
    }
    shape_stamp(made, 1);
    return 0;
}

int shape_make(shape *made, const char *name, uint64_t seed) {
    const struct {
        const char *name;
        size_t count, first_json, jsons, json_size, text_size;
    } plans[] = {
        { "small", 4, 231, 0, 0, 0 },
        { "medium", 20, 2048, 0, 0, 500 },
        { "large", 200, 10240, 50, 10240, 524288 / 147 },
    };
    uint64_t random = seed * 0x9E3779B97F4A7C15u + 0x2545F4914F6CDD1Du;
    size_t number_given;
    *made = (shape){ 0 };
    if (sscanf(name, "keys=%zu", &number_given) == 1)
        return plain(made, number_given, PLAIN_SIZE, &random);
    if (sscanf(name, "bytes=%zu", &number_given) == 1)
        return plain(made, 1, number_given, &random);
    for (size_t plan = 0; plan < sizeof plans / sizeof *plans; plan++) {
        if (strcmp(plans[plan].name, name)) continue;
        made->values = calloc(plans[plan].count, sizeof *made->values);
        if (!made->values) return -1;
        int failed = number(add(made, "GENERATION", 0));
        failed |= text(add(made, "LOG_LEVEL", 0), 40, &random);
        failed |= number(add(made, "MAX_CONNECTIONS", 0));
        failed |= json(add(made, "features.json", 0), plans[plan].first_json, &random);
        for (size_t index = 1; index < plans[plan].jsons; index++)
            failed |= json(add(made, "flags_%03d.json", index), plans[plan].json_size, &random);
        while (made->count < plans[plan].count)
            failed |= text(add(made, "KEY_%03d", made->count), plans[plan].text_size, &random);
        if (failed) {
            shape_free(made);
            return -1;
        }
        shape_stamp(made, 1);
        return 0;
    }
    return -1;
}

void shape_free(shape *made) {
    for (size_t index = 0; index < made->count; index++) free(made->values[index].bytes);
    free(made->values);
    *made = (shape){ 0 };
}

void shape_stamp(shape *made, uint64_t generation) {
    char digits[NUMBER_SIZE];
    size_t length = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)generation);
    made->total = 0;
    for (size_t index = 0; index < made->count; index++) {
        shape_value *value = &made->values[index];
        if (!value->stamp_count) {
            memcpy(value->bytes, digits, length + 1);
            value->size = length;
        }
        for (size_t stamp = 0; stamp < value->stamp_count; stamp++)
            memcpy(value->bytes + value->stamps[stamp], digits, length);
        made->total += value->size;
    }
}

/* The digits that follow `mark`, without reading past the value: it need not end in a NUL. */
static int64_t digits_after(const char *from, size_t size, const char *mark) {
    size_t length = strlen(mark);
    const char *at = length ? memmem(from, size, mark, length) : from;
    if (!at) return -1;
    int64_t number = -1;
    for (at += length; at < from + size && *at >= '0' && *at <= '9'; at++)
        number = (number < 0 ? 0 : number * 10) + (*at - '0');
    return number;
}

int64_t shape_generation(const void *bytes, size_t size) {
    const char *from = bytes;
    if (!size) return -1;
    if (*from >= '0' && *from <= '9') return digits_after(from, size, "");
    if (*from != '{') return digits_after(from, size, "gen=");
    int64_t first = digits_after(from, size, "\"gen\":");
    /* Only the tail is searched: the second stamp is a JSON value's last member. */
    size_t tail = size < 64 ? size : 64;
    int64_t last = digits_after(from + size - tail, tail, "\"gen_end\":");
    return last < 0 || last == first ? first : -1;
}
