/* Measures the parsers of TOML, properties, dotenv and INI beside plain C that does the least that
 * any of them can do: find each line and copy it. All on the same bytes in one process. Each round
 * runs both once on every text; the medians of the rounds are printed, in nanoseconds of CPU time a
 * byte:
 *
 *   WORKLOAD lines|parse|make NANOSECONDS
 *
 * Before that, every text's tree is compared with that of the JSON which means the same, so that
 * nothing wrong is measured.
 */
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "parsers.h"
#include "texts.h"

/* Swift's runtime asks for it; glibc has had it since 2.36 only. */
extern "C" void arc4random_buf(void *buffer, size_t size) {
    if (getentropy(buffer, size)) abort();
}

namespace {

enum { BYTES_A_ROUND = 2000000 };

void *allocate(long size) { return malloc((size_t)size); }

void release(void *memory, long) { free(memory); }

/* Whether two documents are the same, node by node; both have their root first. */
bool same(const Node *node, const Node *other) {
    long count = (node->head & 255) == OBJECT ? (long)(uint32_t)node->payload : 1;
    for (long index = 0; index < count; index++) {
        uint64_t type = node[index].head & 255;
        if (type != (other[index].head & 255)) return false;
        if (type != STRING) {
            if (node[index].payload != other[index].payload) return false;
            continue;
        }
        size_t size = node[index].payload >> 32;
        if (size != other[index].payload >> 32) return false;
        if (memcmp(bench_text(node + index), bench_text(other + index), size)) return false;
    }
    return true;
}

bool means(const Text &text) {
    std::string source = text.text, json = text.json;
    source.append(PADDING, '\0');
    json.append(PADDING, '\0');
    void *bench = bench_create(text.format, allocate, release);
    void *other = bench_create(FORMAT_JSON, allocate, release);
    const Node *root = bench_make(bench, source.data(), (long)text.text.size());
    const Node *expected = bench_make(other, json.data(), (long)text.json.size());
    return root && expected && same(root, expected);
}

/* Copies each line to `target`, with a NUL in the place of its end. */
char *copy_lines(const char *text, size_t size, char *target) {
    const char *end = text + size;
    while (text < end) {
        const char *line = (const char *)memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((line ? line : end) - text);
        memcpy(target, text, length);
        target[length] = '\0';
        target += length + 1;
        text += length + 1;
    }
    return target;
}

double median(std::vector<double> &samples) {
    std::sort(samples.begin(), samples.end());
    return samples[samples.size() / 2];
}

}  // namespace

int main(int count, char **arguments) {
    int rounds = count > 1 ? atoi(arguments[1]) : 61;
    for (Text &workload : make_texts()) {
        const char *name = workload.name.c_str();
        if (!means(workload)) {
            fprintf(stderr, "formats: the trees of %s differ\n", name);
            return 1;
        }
        void *bench = bench_create(workload.format, allocate, release);
        size_t size = workload.text.size();
        workload.text.append(PADDING, '\0');
        std::vector<char> room(size + 1);
        size_t repeats = std::max<size_t>(1, BYTES_A_ROUND / size);
        auto measure = [&](auto parse) {
            double start = now();
            for (size_t repeat = 0; repeat < repeats; repeat++) parse(workload.text.data());
            return (now() - start) / (double)(repeats * size);
        };
        std::vector<double> lines, parse, make;
        for (int round = 0; round < rounds; round++) {
            lines.push_back(measure([&](const char *text) {
                if (copy_lines(text, size, room.data()) < room.data() + size) abort();
            }));
            parse.push_back(measure([&](const char *text) {
                if (bench_parse(bench, text, (long)size) < 0) abort();
            }));
            make.push_back(measure([&](const char *text) {
                bench_free(bench, bench_make(bench, text, (long)size));
            }));
        }
        printf("%s lines %f\n", name, median(lines));
        printf("%s parse %f\n", name, median(parse));
        printf("%s make %f\n", name, median(make));
    }
    return 0;
}
