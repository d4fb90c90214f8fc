/* Measures the JSON parser beside simdjson's DOM parser, on the same bytes in one process. Each
 * round runs every parser once on every text; the medians of the rounds are printed, in nanoseconds
 * of CPU time a byte:
 *
 *   WORKLOAD simdjson|parse|make NANOSECONDS
 *
 * Before that, every text's tree is compared with simdjson's, so that nothing wrong is measured.
 */
#include <simdjson.h>

#include <algorithm>
#include <cstdlib>

#include "documents.h"
#include "parsers.h"

/* Swift's runtime asks for it; glibc has had it since 2.36 only. */
extern "C" void arc4random_buf(void *buffer, size_t size) {
    if (getentropy(buffer, size)) abort();
}

namespace {

enum { BYTES_A_ROUND = 3000000 };

bool is_text(const Node *node, std::string_view text) {
    return (node->head & 255) == STRING && node->payload >> 32 == text.size()
        && !memcmp(bench_text(node), text.data(), text.size());
}

/* Whether the value at `node` equals simdjson's; moves on to the node after it. */
bool same(const Node *&node, const Node *root, simdjson::dom::element element) {
    const Node *here = node++;
    switch (here->head & 255) {
    case NULL_TYPE: return element.is_null();
    case BOOL: return element.is_bool() && bool(element) == (here->payload == 1);
    case INT64: return element.is_int64() && int64_t(element) == (int64_t)here->payload;
    case DOUBLE: {
        double value = element.is_double() ? double(element) : 0;
        return element.is_double() && !memcmp(&value, &here->payload, sizeof value);
    }
    case STRING: return element.is_string() && is_text(here, std::string_view(element));
    case ARRAY: {
        uint64_t count = 0;
        if (!element.is_array()) return false;
        for (auto child : simdjson::dom::array(element)) {
            if (!same(node, root, child)) return false;
            count++;
        }
        break;
    }
    case OBJECT: {
        if (!element.is_object()) return false;
        for (auto member : simdjson::dom::object(element)) {
            if (!is_text(node++, member.key) || !same(node, root, member.value)) return false;
        }
        break;
    }
    default: return false;
    }
    return (here->payload & 0xffffffff) == (uint64_t)(node - root);
}

double median(std::vector<double> &samples) {
    std::sort(samples.begin(), samples.end());
    return samples[samples.size() / 2];
}

}  // namespace

int main(int count, char **arguments) {
    int rounds = count > 1 ? atoi(arguments[1]) : 61;
    void *bench = bench_create(FORMAT_JSON, [](long size) { return malloc((size_t)size); },
                               [](void *memory, long) { free(memory); });
    simdjson::dom::parser parser;
    for (Workload &workload : make_workloads()) {
        size_t bytes = 0;
        for (std::string &text : workload.texts) {
            bytes += text.size();
            size_t size = text.size();
            text.append(PADDING, '\0');
            text.resize(size + PADDING);
            const Node *root = bench_make(bench, text.data(), (long)size), *node = root;
            auto element = parser.parse(text.data(), size, false);
            if (!root || element.error() || !same(node, root, element.value_unsafe())) {
                fprintf(stderr, "json: the trees of %s differ\n", workload.name.c_str());
                return 1;
            }
            bench_free(bench, root);
        }
        size_t repeats = std::max<size_t>(1, BYTES_A_ROUND / bytes);
        auto measure = [&](auto parse) {
            double start = now();
            for (size_t repeat = 0; repeat < repeats; repeat++) {
                for (const std::string &text : workload.texts) {
                    parse(text.data(), text.size() - PADDING);
                }
            }
            return (now() - start) / (double)(repeats * bytes);
        };
        std::vector<double> simdjson, parse, make;
        for (int round = 0; round < rounds; round++) {
            simdjson.push_back(measure([&](const char *text, size_t size) {
                if (parser.parse(text, size, false).error()) abort();
            }));
            parse.push_back(measure([&](const char *text, size_t size) {
                if (bench_parse(bench, text, (long)size) < 0) abort();
            }));
            make.push_back(measure([&](const char *text, size_t size) {
                bench_free(bench, bench_make(bench, text, (long)size));
            }));
        }
        const char *name = workload.name.c_str();
        printf("%s simdjson %f\n", name, median(simdjson));
        printf("%s parse %f\n", name, median(parse));
        printf("%s make %f\n", name, median(make));
    }
    return 0;
}
