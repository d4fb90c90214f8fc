/* See texts.h. */
#include "texts.h"

#include <cstdint>
#include <cstdio>

namespace {

class Random {
public:
    explicit Random(uint64_t seed) : state(seed * 0x9E3779B97F4A7C15u + 1) {}
    unsigned below(unsigned limit) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return (unsigned)(state % limit);
    }

private:
    uint64_t state;
};

template <typename... Values>
void append(std::string &text, const char *format, Values... values) {
    char buffer[512];
    int size = snprintf(buffer, sizeof buffer, format, values...);
    text.append(buffer, (size_t)size);
}

/* Services as an application lists them: names, numbers, switches, lists, comments. */
std::string settings(size_t size) {
    Random random(3);
    std::string text = "# Settings of the front\nlogging:\n  level: info\n  format: json\nservices:\n";
    for (int id = 0; text.size() < size; id++) {
        append(text, "  service-%d:\n    # Who asks whom\n    host: svc-%u.front.svc.local\n", id,
               random.below(1000));
        append(text, "    port: %u\n    enabled: %s\n    weight: 0.%04u\n", 1024 + random.below(60000),
               random.below(2) ? "true" : "false", random.below(10000));
        append(text, "    owner: \"team-%u\"\n    timeout: %us\n    retries:\n", random.below(20),
               1 + random.below(60));
        append(text, "      attempts: %u\n      on: [503, 504, connect]\n    tags:\n", random.below(9));
        append(text, "      - blue\n      - 'zone %u'\n      - r\n", random.below(4));
    }
    return text;
}

std::string flow(size_t size) {
    Random random(4);
    std::string text = "{\"items\": [";
    for (int id = 0; text.size() < size; id++) {
        append(text, "%s{\"id\": %d, \"name\": \"flag-%u\", \"enabled\": %s, \"weight\": 0.%u, ",
               id ? ", " : "", id, random.below(100000), random.below(2) ? "true" : "false",
               random.below(100));
        append(text, "\"tags\": [\"t%u\", \"blue\"]}", random.below(100));
    }
    return text + "]}\n";
}

std::string blocks(size_t size) {
    static const char *const words[] = {"alpha", "bravo", "timeout", "http://svc.local:8080/",
                                        "region-eu", "retry", "charlie"};
    Random random(5);
    std::string text;
    for (int id = 0; text.size() < size; id++) {
        append(text, "script-%d: %s\n", id, id % 2 ? "|" : ">-");
        for (unsigned line = 5 + random.below(10); line; line--) {
            text += "  ";
            for (unsigned word = 4 + random.below(8); word; word--) {
                append(text, "%s%s", words[random.below(7)], word > 1 ? " " : "\n");
            }
        }
    }
    return text;
}

std::string unicode(size_t size) {
    static const char *const pieces[] = {"日本語", "é", "пример", "ab ", "😀", "текст"};
    Random random(6);
    std::string text;
    for (int id = 0; text.size() < size; id++) {
        append(text, "ключ-%d: \"", id);
        for (unsigned left = 2 + random.below(28); left; left--) text += pieces[random.below(6)];
        text += "\"\n";
    }
    return text;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> make_texts() {
    return {
        {"small", settings(1000)},    {"settings", settings(10000)}, {"one_mib", settings(1 << 20)},
        {"flow", flow(100000)},       {"blocks", blocks(100000)},    {"unicode", unicode(100000)},
    };
}
