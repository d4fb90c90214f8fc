/* The texts that the parsers of TOML, properties, dotenv and INI are measured on, made by a
 * generator with a fixed seed, each with the JSON that it means.
 */
#ifndef TEXTS_H
#define TEXTS_H

#include <cstdint>
#include <string>
#include <vector>

struct Text {
    std::string name;
    int32_t format;
    std::string text, json;
};

/* toml_settings: an application's settings of 10 KB. toml_one_mib: the same of 1 MiB. toml_lock: a
 * lock file of 300 KB, an array of tables. toml_numbers: integers, decimals and dates. properties:
 * settings of 10 KB. properties_one_mib: the same of 1 MiB. properties_escapes: a catalogue of
 * messages in escape sequences. dotenv and ini: settings of 10 KB.
 */
std::vector<Text> make_texts();

#endif
