/* The texts that YAML parsers are measured on, made by a generator with a fixed seed. */
#ifndef TEXTS_H
#define TEXTS_H

#include <string>
#include <utility>
#include <vector>

/* small: settings of 1 KB. settings: the same of 10 KB. one_mib: the same of 1 MiB.
 * flow: 100 KB as JSON writes it. blocks: literal and folded text. unicode: hardly any ASCII. */
std::vector<std::pair<std::string, std::string>> make_texts();

#endif
