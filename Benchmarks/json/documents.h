/* The texts that JSON parsers are measured on, made by a generator with a fixed seed. */
#ifndef DOCUMENTS_H
#define DOCUMENTS_H

#include <string>
#include <vector>

struct Workload {
    std::string name;
    std::vector<std::string> texts;
};

/* large_mount: the JSON keys of the large mount, each of 10 KB. one_mib: one text of the same kind.
 * numbers: coordinates of 17 digits, integers of 1 to 17, short decimals. strings: one in ten with
 * escapes or characters beyond ASCII. pretty: indented by two. dense_unicode: hardly any ASCII. */
std::vector<Workload> make_workloads();

#endif
