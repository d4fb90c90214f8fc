// The floor: the least that a program can do to follow a mount. It waits in read(2) on inotify for
// `..data` to be renamed, then opens, stats, reads and closes each file into one reused arena and
// "calls back". Built with -DFLOOR_JSON it also parses every value that is JSON with simdjson's DOM
// into reused parsers. No validation, no history, no subscribers, no lost sources.
//
//     floor_c DIR        floor_c_json DIR
#include <dirent.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#ifdef FLOOR_JSON
#include <simdjson.h>
#endif

extern "C" {
#include "shape.h"
}
#include "applied.h"

namespace {

// What simdjson wants to find behind a document, so that it need not copy it.
constexpr size_t padding = 64;

struct File {
    std::string key;
    size_t offset, size;
};

struct Load {
    std::vector<char> arena;
    std::vector<File> files;
    size_t used = 0, count = 0;
};

struct DirectoryEntry {
    uint64_t inode;
    int64_t offset;
    unsigned short record_length;
    unsigned char type;
    char name[];
};

bool read_file(int directory, const char *name, Load &load) {
    int file = openat(directory, name, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    struct stat status;
    bool read_whole = fstat(file, &status) == 0;
    size_t size = read_whole ? size_t(status.st_size) : 0, done = 0;
    if (load.used + size + padding > load.arena.size())
        load.arena.resize((load.used + size + padding) * 2);
    while (done < size) {
        ssize_t got = read(file, load.arena.data() + load.used + done, size - done);
        if (got <= 0) break;
        done += size_t(got);
    }
    close(file);
    if (load.count == load.files.size()) load.files.emplace_back();
    File &entry = load.files[load.count++];
    entry.key = name;
    entry.offset = load.used;
    entry.size = done;
    load.used += done + padding;
    return read_whole;
}

// False when an update removed the directory meanwhile.
bool read_mount(const std::string &data, Load &load) {
    alignas(DirectoryEntry) static char entries[65536];
    load.used = load.count = 0;
    int directory = open(data.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return false;
    bool complete = true;
    for (long size; complete
         && (size = syscall(SYS_getdents64, directory, entries, sizeof entries)) > 0;) {
        for (long at = 0; at < size && complete;) {
            auto *entry = reinterpret_cast<DirectoryEntry *>(entries + at);
            at += entry->record_length;
            if (entry->name[0] != '.') complete = read_file(directory, entry->name, load);
        }
    }
    close(directory);
    return complete;
}

#ifdef FLOOR_JSON
struct Value {
    bool is_json;
    simdjson::dom::element json;
    std::string_view text;
};

struct Parsed {
    std::deque<simdjson::dom::parser> parsers; // one a file: an element lives as long as its parser
    std::vector<Value> values;
};

bool is_blank(char character) {
    return static_cast<unsigned char>(character) <= ' ';
}

void parse(const Load &load, Parsed &parsed) {
    parsed.values.resize(load.count);
    while (parsed.parsers.size() < load.count) parsed.parsers.emplace_back();
    for (size_t index = 0; index < load.count; index++) {
        std::string_view text(load.arena.data() + load.files[index].offset, load.files[index].size);
        while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
        while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
        auto result = parsed.parsers[index].parse(text.data(), text.size(), false);
        bool is_json = result.error() == simdjson::SUCCESS;
        parsed.values[index] = { is_json, {}, text };
        if (is_json) parsed.values[index].json = result.value_unsafe();
    }
}

// From the parsed values, not from their text: it is those that a service would read.
int64_t generation(const Load &, const Parsed &parsed, size_t index) {
    const Value &value = parsed.values[index];
    if (!value.is_json) return shape_generation(value.text.data(), value.text.size());
    int64_t number = -1;
    auto failed = value.json.is_int64() ? value.json.get(number) : value.json["gen"].get(number);
    return failed ? -1 : number;
}
#else
struct Parsed {};

void parse(const Load &, Parsed &) {}

int64_t generation(const Load &load, const Parsed &, size_t index) {
    return shape_generation(load.arena.data() + load.files[index].offset, load.files[index].size);
}
#endif

bool names_data(const char *events, ssize_t size) {
    bool found = false;
    for (ssize_t at = 0; at < size;) {
        auto *event = reinterpret_cast<const inotify_event *>(events + at);
        found |= (event->len && !std::strcmp(event->name, "..data")) || event->mask & IN_Q_OVERFLOW;
        at += ssize_t(sizeof *event + event->len);
    }
    return found;
}

void report(const Load &load, const Parsed &parsed, uint64_t moment) {
    tally checked = tally_begin();
    for (size_t index = 0; index < load.count; index++)
        tally_add(&checked, load.files[index].key.c_str(), generation(load, parsed, index));
    tally_print(&checked, moment);
}

} // namespace

int main(int count, char **arguments) {
    if (count != 2) return 2;
    int inotify = inotify_init1(IN_CLOEXEC);
    if (inotify_add_watch(inotify, arguments[1], IN_MOVED_TO | IN_ONLYDIR) < 0) return 1;
    const std::string data = std::string(arguments[1]) + "/..data";
    Load loads[2]; // the current one stays readable while the next is loaded
    Parsed parsed[2];
    for (int next = 0;; next ^= 1) {
        bool complete = false;
        for (int attempt = 0; attempt < 100 && !complete; attempt++)
            complete = read_mount(data, loads[next]);
        if (complete) {
            parse(loads[next], parsed[next]);
            report(loads[next], parsed[next], monotonic_ns());
        }
        alignas(inotify_event) char events[65536];
        ssize_t size;
        do {
            size = read(inotify, events, sizeof events);
            if (size <= 0) return 1;
        } while (!names_data(events, size));
    }
}
