/* Measures the YAML parser beside plain C that builds a tree of libyaml's events, on the same bytes
 * in one process. Each round runs every parser once on every text; the medians of the rounds are
 * printed, in nanoseconds of CPU time a byte:
 *
 *   WORKLOAD libyaml|parse|make NANOSECONDS
 *
 * Before that, every text's tree is compared with the other, so that nothing wrong is measured.
 */
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "parsers.h"
#include "texts.h"
#include "tree.h"

/* Swift's runtime asks for it; glibc has had it since 2.36 only. */
extern "C" void arc4random_buf(void *buffer, size_t size) {
    if (getentropy(buffer, size)) abort();
}

namespace {

enum { BYTES_A_ROUND = 500000 };

bool is_text(const Node *node, const tree_node *other) {
    return (node->head & 255) == STRING && node->payload >> 32 == other->size
        && !memcmp(bench_text(node), other->text, other->size);
}

/* Whether the value at `node` has the other's form and texts; moves on to the node after it. */
bool same(const Node *&node, const tree_node *other) {
    const Node *here = node++;
    size_t count = here->payload >> 32;
    switch (here->head & 255) {
    case STRING: return other->kind == TREE_SCALAR && is_text(here, other);
    case ARRAY:
        if (other->kind != TREE_ARRAY || other->count != count) return false;
        for (size_t index = 0; index < count; index++) {
            if (!same(node, other->children[index])) return false;
        }
        return true;
    case OBJECT:
        if (other->kind != TREE_OBJECT || other->count != 2 * count) return false;
        for (size_t index = 0; index < 2 * count; index += 2) {
            if (!is_text(node++, other->children[index])) return false;
            if (!same(node, other->children[index + 1])) return false;
        }
        return true;
    default: return other->kind == TREE_SCALAR && other->is_plain;
    }
}

double median(std::vector<double> &samples) {
    std::sort(samples.begin(), samples.end());
    return samples[samples.size() / 2];
}

}  // namespace

int main(int count, char **arguments) {
    int rounds = count > 1 ? atoi(arguments[1]) : 61;
    void *bench = bench_create(FORMAT_YAML, [](long size) { return malloc((size_t)size); },
                               [](void *memory, long) { free(memory); });
    for (auto &[name, text] : make_texts()) {
        size_t size = text.size();
        text.append(PADDING, '\0');
        const Node *root = bench_make(bench, text.data(), (long)size), *node = root;
        tree_node *tree = tree_parse(text.data(), size);
        if (!root || !tree || !same(node, tree)) {
            fprintf(stderr, "yaml: the trees of %s differ\n", name.c_str());
            return 1;
        }
        bench_free(bench, root);
        tree_free(tree);
        size_t repeats = std::max<size_t>(1, BYTES_A_ROUND / size);
        auto measure = [&, &text = text](auto parse) {
            double start = now();
            for (size_t repeat = 0; repeat < repeats; repeat++) parse(text.data(), size);
            return (now() - start) / (double)(repeats * size);
        };
        std::vector<double> libyaml, parse, make;
        for (int round = 0; round < rounds; round++) {
            libyaml.push_back(measure([&](const char *text, size_t size) {
                tree_free(tree_parse(text, size));
            }));
            parse.push_back(measure([&](const char *text, size_t size) {
                if (bench_parse(bench, text, (long)size) < 0) abort();
            }));
            make.push_back(measure([&](const char *text, size_t size) {
                bench_free(bench, bench_make(bench, text, (long)size));
            }));
        }
        printf("%s libyaml %f\n", name.c_str(), median(libyaml));
        printf("%s parse %f\n", name.c_str(), median(parse));
        printf("%s make %f\n", name.c_str(), median(make));
    }
    return 0;
}
