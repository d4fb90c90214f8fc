/* See texts.h. */
#include "texts.h"

#include <cstdio>

#include "parsers.h"

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

/* A text and the JSON that it means, written side by side. */
struct Both {
    std::string text, json;

    template <typename... Values> void in_text(const char *format, Values... values) {
        append(text, format, values...);
    }
    template <typename... Values> void in_json(const char *format, Values... values) {
        append(json, format, values...);
    }
    Text named(const char *name, int32_t format) const { return {name, format, text, json}; }
};

const char *const regions[] = {"eu-central", "us-east", "ap-south"};

Both settings(size_t size) {
    Random random(1);
    Both both;
    both.in_text("# Settings of the front\ntitle = \"front\"\n");
    both.in_json("{\"title\":\"front\"");
    for (int id = 0; both.text.size() < size; id++) {
        unsigned host = random.below(1000), port = 1024 + random.below(60000);
        unsigned weight = random.below(1000), timeout = 1 + random.below(60);
        const char *region = regions[random.below(3)];
        const char *enabled = random.below(2) ? "true" : "false";
        both.in_text("\n[service-%d]\n# Who asks whom\n", id);
        both.in_text("host = \"svc-%u.front.svc.local\"\n", host);
        both.in_text("port = %u\nenabled = %s\nweight = 0.%03u1\n", port, enabled, weight);
        both.in_text("region = '%s' # where most users are\n", region);
        both.in_text("retries.attempts = 3\nretries.on = [503, 504, \"connect\"]\n");
        both.in_text("limits = { cpu = 2, memory = \"%uMi\" }\n", timeout * 16);
        both.in_text("\n[service-%d.log]\nlevel = \"info\"\nrotate = \"%us\"\n", id, timeout);
        both.in_json(",\"service-%d\":{\"host\":\"svc-%u.front.svc.local\",", id, host);
        both.in_json("\"port\":%u,\"enabled\":%s,\"weight\":0.%03u1,", port, enabled, weight);
        both.in_json("\"region\":\"%s\",\"retries\":{\"attempts\":3,", region);
        both.in_json("\"on\":[503,504,\"connect\"]},\"limits\":{\"cpu\":2,");
        both.in_json("\"memory\":\"%uMi\"},\"log\":{\"level\":\"info\",", timeout * 16);
        both.in_json("\"rotate\":\"%us\"}}", timeout);
    }
    both.in_json("}");
    return both;
}

Both lock_file(size_t size) {
    Random random(2);
    Both both;
    both.in_text("# Written by a tool\nversion = 3\n");
    both.in_json("{\"version\":3,\"package\":[");
    for (int id = 0; both.text.size() < size; id++) {
        unsigned major = random.below(9), minor = random.below(30), first = random.below(500);
        std::string checksum;
        for (int part = 0; part < 8; part++) append(checksum, "%08x", random.below(0xffffffff));
        both.in_text("\n[[package]]\nname = \"package-%d\"\n", id);
        both.in_text("version = \"%u.%u.0\"\n", major, minor);
        both.in_text("source = \"registry+https://packages.example.com/index\"\n");
        both.in_text("checksum = \"%s\"\n", checksum.c_str());
        both.in_text("dependencies = [\n \"package-%u\",\n \"other\",\n]\n", first);
        both.in_json("%s{\"name\":\"package-%d\",", id ? "," : "", id);
        both.in_json("\"version\":\"%u.%u.0\",", major, minor);
        both.in_json("\"source\":\"registry+https://packages.example.com/index\",");
        both.in_json("\"checksum\":\"%s\",", checksum.c_str());
        both.in_json("\"dependencies\":[\"package-%u\",\"other\"]}", first);
    }
    both.in_json("]}");
    return both;
}

Both numbers(size_t size) {
    Random random(3);
    Both both;
    both.in_json("{");
    for (int id = 0; both.text.size() < size; id++) {
        unsigned a = 1 + random.below(999), b = random.below(1000), c = random.below(1000000);
        unsigned month = 1 + random.below(12), day = 1 + random.below(28), hour = random.below(24);
        both.in_text("[n%d]\ncount = %u_%03u\nmask = 0x%x\nratio = %u.%06u1\n", id, a, b, c, b, c);
        both.in_text("since = 2024-%02u-%02uT%02u:30:00Z\n", month, day, hour);
        both.in_text("list = [%u, -%u, %u]\n", a, a, c);
        both.in_json("%s\"n%d\":{\"count\":%u%03u,\"mask\":%u,", id ? "," : "", id, a, b, c);
        both.in_json("\"ratio\":%u.%06u1,", b, c);
        both.in_json("\"since\":\"2024-%02u-%02uT%02u:30:00Z\",", month, day, hour);
        both.in_json("\"list\":[%u,-%u,%u]}", a, a, c);
    }
    both.in_json("}");
    return both;
}

Both properties(size_t size) {
    Random random(4);
    Both both;
    both.in_text("# Settings of the front\n");
    both.in_json("{");
    for (int id = 0; both.text.size() < size; id++) {
        unsigned host = random.below(1000), port = 1024 + random.below(60000);
        unsigned pool = 1 + random.below(50), timeout = random.below(60000);
        both.in_text("\n# Data source %d\n", id);
        both.in_text("app.source-%d.url=jdbc:postgresql://db-%u:%u/app\n", id, host, port);
        both.in_text("app.source-%d.username = front\n", id);
        both.in_text("app.source-%d.pool.maximum-size: %u\n", id, pool);
        both.in_text("app.source-%d.pool.connection-timeout=%u\n", id, timeout);
        both.in_text("app.source-%d.hosts=one.svc.local,\\\n    two.svc.local\n", id);
        both.in_json("%s\"app.source-%d.url\":", id ? "," : "", id);
        both.in_json("\"jdbc:postgresql://db-%u:%u/app\",", host, port);
        both.in_json("\"app.source-%d.username\":\"front\",", id);
        both.in_json("\"app.source-%d.pool.maximum-size\":\"%u\",", id, pool);
        both.in_json("\"app.source-%d.pool.connection-timeout\":\"%u\",", id, timeout);
        both.in_json("\"app.source-%d.hosts\":\"one.svc.local,two.svc.local\"", id);
    }
    both.in_json("}");
    return both;
}

Both messages(size_t size) {
    Random random(5);
    Both both;
    both.in_json("{");
    for (int id = 0; both.text.size() < size; id++) {
        both.in_text("message.%d = ", id);
        both.in_json("%s\"message.%d\":\"", id ? "," : "", id);
        for (unsigned left = 2 + random.below(6); left; left--) {
            std::string word;
            for (unsigned letter = 3 + random.below(7); letter; letter--) {
                append(word, "\\u04%02x", 0x30 + random.below(0x20));
            }
            both.text += word + (left > 1 ? " " : "\n");
            both.json += word + (left > 1 ? " " : "\"");
        }
    }
    both.in_json("}");
    return both;
}

Both variables(size_t size) {
    Random random(6);
    Both both;
    both.in_text("# Settings of the front\n");
    both.in_json("{");
    for (int id = 0; both.text.size() < size; id++) {
        unsigned port = 1024 + random.below(60000), key = random.below(0xffffff);
        both.in_text("\nSERVICE_%d_URL=http://svc-%u.svc.local:%u/ # inside\n", id, key, port);
        both.in_text("export SERVICE_%d_KEY='%06x %06x'\n", id, key, port);
        both.in_text("SERVICE_%d_TEXT=\"one\\ntwo %u\"\nSERVICE_%d_ON=true\n", id, port, id);
        both.in_json("%s\"SERVICE_%d_URL\":", id ? "," : "", id);
        both.in_json("\"http://svc-%u.svc.local:%u/\",", key, port);
        both.in_json("\"SERVICE_%d_KEY\":\"%06x %06x\",", id, key, port);
        both.in_json("\"SERVICE_%d_TEXT\":\"one\\ntwo %u\",", id, port);
        both.in_json("\"SERVICE_%d_ON\":\"true\"", id);
    }
    both.in_json("}");
    return both;
}

Both sections(size_t size) {
    Random random(7);
    Both both;
    both.in_text("; Settings of the front\n");
    both.in_json("{");
    for (int id = 0; both.text.size() < size; id++) {
        unsigned port = 1024 + random.below(60000), workers = 1 + random.below(64);
        both.in_text("\n[program:worker-%d]\n; How it runs\n", id);
        both.in_text("command = /usr/bin/worker --port %u\n", port);
        both.in_text("numprocs = %u\nautostart: true\nenvironment =\n  A=1,\n  B=2\n", workers);
        both.in_json("%s\"program:worker-%d\":{", id ? "," : "", id);
        both.in_json("\"command\":\"/usr/bin/worker --port %u\",", port);
        both.in_json("\"numprocs\":\"%u\",\"autostart\":\"true\",", workers);
        both.in_json("\"environment\":\"\\nA=1,\\nB=2\"}");
    }
    both.in_json("}");
    return both;
}

}  // namespace

std::vector<Text> make_texts() {
    return {
        settings(10000).named("toml_settings", FORMAT_TOML),
        settings(1 << 20).named("toml_one_mib", FORMAT_TOML),
        lock_file(300000).named("toml_lock", FORMAT_TOML),
        numbers(100000).named("toml_numbers", FORMAT_TOML),
        properties(10000).named("properties", FORMAT_PROPERTIES),
        properties(1 << 20).named("properties_one_mib", FORMAT_PROPERTIES),
        messages(100000).named("properties_escapes", FORMAT_PROPERTIES),
        variables(10000).named("dotenv", FORMAT_DOTENV),
        sections(10000).named("ini", FORMAT_INI),
    };
}
