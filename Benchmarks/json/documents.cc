/* See documents.h. */
#include "documents.h"

#include <cstdint>
#include <cstdio>
#include <cstring>

extern "C" {
#include "shape.h"
}

namespace {

class Random {
public:
    explicit Random(uint64_t seed) : state(seed * 0x9E3779B97F4A7C15u + 1) {}
    uint64_t next() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state;
    }
    unsigned below(unsigned limit) { return (unsigned)(next() % limit); }
    double unit() { return (double)(next() >> 11) / 9007199254740992.0; }

private:
    uint64_t state;
};

template <typename... Values>
void append(std::string &text, const char *format, Values... values) {
    char buffer[512];
    int size = snprintf(buffer, sizeof buffer, format, values...);
    text.append(buffer, (size_t)size);
}

std::vector<std::string> large_mount() {
    std::vector<std::string> texts;
    shape made;
    if (shape_make(&made, "large", 1)) return texts;
    for (size_t index = 0; index < made.count; index++) {
        const shape_value &value = made.values[index];
        if (strstr(value.key, ".json")) texts.emplace_back(value.bytes, value.size);
    }
    shape_free(&made);
    return texts;
}

/* A feature flag, as in the large mount; `indent` puts every member on a line of its own. */
void append_flag(std::string &text, Random &random, int id, bool indent) {
    const char *line = indent ? "\n      " : "";
    const char *deeper = indent ? "\n        " : "";
    const char *colon = indent ? ": " : ":";
    append(text, indent ? "\n    {" : "{");
    append(text, "%s\"id\"%s%d,", line, colon, id);
    append(text, "%s\"name\"%s\"flag-%08x\",", line, colon, (unsigned)random.next());
    append(text, "%s\"enabled\"%s%s,", line, colon, random.below(2) ? "true" : "false");
    append(text, "%s\"weight\"%s%.4f,%s\"owner\"%snull,", line, colon, random.unit(), line, colon);
    append(text, "%s\"tags\"%s[%s\"t%u\",", line, colon, deeper, random.below(100));
    append(text, "%s\"blue\",%s\"r\\u00e9gion\"%s],", deeper, deeper, line);
    append(text, "%s\"limits\"%s{%s\"cpu\"%s%u,", line, colon, deeper, colon, random.below(64));
    append(text, "%s\"memory\"%s\"%uMi\"%s}", deeper, colon, random.below(4096), line);
    append(text, indent ? "\n    }" : "}");
}

std::string flags(size_t size, bool indent) {
    Random random(7);
    std::string text = indent ? "{\n  \"items\": [" : "{\"items\":[";
    for (int id = 0; text.size() + 400 < size; id++) {
        if (id) text += ',';
        append_flag(text, random, id, indent);
    }
    return text + (indent ? "\n  ]\n}\n" : "]}");
}

std::string numbers() {
    Random random(8);
    std::string text = "{\"coordinates\":[";
    for (int index = 0; index < 15000; index++) {
        double longitude = random.unit() * 360 - 180, latitude = random.unit() * 180 - 90;
        append(text, "%s[%.17g,%.17g]", index ? "," : "", longitude, latitude);
    }
    text += "],\"integers\":[";
    for (int index = 0; index < 20000; index++) {
        int64_t limit = 1;
        for (unsigned digits = 1 + random.below(17); digits; digits--) limit *= 10;
        int64_t number = (int64_t)(random.next() % (uint64_t)(2 * limit)) - limit;
        append(text, "%s%lld", index ? "," : "", (long long)number);
    }
    text += "],\"decimals\":[";
    for (int index = 0; index < 15000; index++) {
        append(text, "%s%.*f", index ? "," : "", (int)(1 + random.below(5)), random.unit() * 1000);
    }
    return text + "]}";
}

std::string strings() {
    static const char *const words[] = {"alpha", "bravo", "timeout", "http://svc.local:8080/", "on",
                                        "region-eu", "x86", "retry", "charlie delta"};
    static const unsigned lengths[] = {1, 1, 2, 3, 5, 8, 20};
    Random random(9);
    std::string text = "{";
    for (int index = 0; index < 12000; index++) {
        append(text, "%s\"key_%05d\":\"", index ? "," : "", index);
        for (unsigned left = lengths[random.below(7)]; left; left--) {
            append(text, "%s%s", words[random.below(9)], left > 1 ? " " : "");
        }
        unsigned kind = random.below(20);
        text += kind == 0 ? "\\n\\\"quoted\\\"\\\\\"" : kind == 1 ? "région\"" : "\"";
    }
    return text + "}";
}

std::string dense_unicode() {
    static const char *const pieces[] = {"日本語", "é", "пример", "a b ", "😀", "text"};
    Random random(10);
    std::string text = "[";
    for (int index = 0; index < 12000; index++) {
        text += index ? ",\"" : "\"";
        for (unsigned left = 2 + random.below(28); left; left--) text += pieces[random.below(6)];
        text += '"';
    }
    return text + "]";
}

}  // namespace

std::vector<Workload> make_workloads() {
    return {
        {"large_mount", large_mount()},
        {"one_mib", {flags(1 << 20, false)}},
        {"numbers", {numbers()}},
        {"strings", {strings()}},
        {"pretty", {flags(1 << 20, true)}},
        {"dense_unicode", {dense_unicode()}},
    };
}
