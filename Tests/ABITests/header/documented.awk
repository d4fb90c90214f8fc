# Says which declarations of the header lack their summary sentence or one of the lines that apply to them:
#
#   a function        Threads, Blocks
#   … with a status   Errors, each with its reason
#   … with a pointer to give, or to keep   Ownership or Lifetime
#   a callback type   Threads, Blocks, Calls, Ends; Lifetime when it is handed more than its context
#
# Lines come in the order Ownership, Lifetime, Threads, Blocks, Calls, Ends, Errors.

function complain(text) {
    printf "%s:%d: %s: %s\n", FILENAME, declared_at, name, text
    bad = 1
}

function has(word) { return doc ~ ("\n" word "  +[^ ]") }

function need(word) { if (!has(word)) complain("has no line " word) }

function check_summary(    first) {
    first = doc
    sub(/^\n/, "", first)
    sub(/\n(\n.*|(Ownership|Lifetime|Threads|Blocks|Errors)  .*)$/, "", first)
    if (first !~ /^[A-Z]/) complain("has no summary")
    else if (first !~ /\.$/) complain("its summary is no sentence")
}

function check_order(    words, count, i, last, at) {
    count = split("Ownership Lifetime Threads Blocks Calls Ends Errors", words, " ")
    last = 0
    for (i = 1; i <= count; i++) {
        at = index(doc, "\n" words[i] "  ")
        if (at && at < last) complain(words[i] " is out of order")
        if (at) last = at
    }
}

# Each row names a status and gives the reason, on this line.
function check_errors(    errors, rows, n, i) {
    errors = doc
    sub(/^.*\nErrors  +/, "", errors)
    n = split(errors, rows, "\n")
    for (i = 1; i <= n; i++)
        if (rows[i] !~ /^ *CMR_E_[A-Z_]+  +[^ ]/ && rows[i] !~ /^                                +[^ ]/ &&
            rows[i] !~ /^                 +[a-z]/ && rows[i] != "")
            complain("its errors have a line without status and reason: " rows[i])
    if (declaration ~ /\*/ && errors !~ /CMR_E_INVALID_ARGUMENT/) complain("does not say CMR_E_INVALID_ARGUMENT")
}

function check_declaration() {
    name = declaration
    if (match(declaration, /\(\*cmr_[a-z0-9_]+_fn\)/)) name = substr(declaration, RSTART + 2, RLENGTH - 3)
    else if (match(declaration, /cmr_[a-z0-9_]+\(/)) name = substr(declaration, RSTART, RLENGTH - 1)
    else name = substr(declaration, 1, 40)
    seen++
    if (doc == "") { complain("has no comment"); return }
    check_summary()
    check_order()
    if (declaration ~ /_fn\)\(/) {
        need("Threads"); need("Blocks"); need("Calls"); need("Ends")
        if (declaration ~ /_fn\)\([^)]*,/) need("Lifetime")
    } else if (declaration ~ /cmr_[a-z0-9_]+\(/ && declaration !~ /^#/) {
        need("Threads"); need("Blocks")
        if (declaration ~ /^cmr_status /) {
            need("Errors")
            if (has("Errors")) check_errors()
        }
        gives = declaration ~ /\*\*/ || declaration ~ /^(const )?[a-z0-9_]+ \*/
        if (gives && !has("Ownership") && !has("Lifetime")) complain("does not say who owns what it gives")
    }
}

# A comment at the left margin opens a block of documentation.
/^\/\*/ { doc = ""; reading = 1; fresh = 1 }
reading {
    line = $0
    sub(/^\/\* ?/, "", line); sub(/^ \*( |$)/, "", line); closes = sub(/ *\*\/$/, "", line) || line == "/"
    if (line == "/") line = ""
    doc = doc "\n" line
    if (closes) { reading = 0; sub(/\n+$/, "", doc) }
    next
}
/^$/ { doc = ""; next }                    # a comment belongs to what follows at once
/^#define CMR_/ { declaration = $0; declared_at = FNR; check_declaration(); next }   # one for several
/^#/ || /^extern "C"/ || /^__attribute__/ { next }
inside { if (/^}/) inside = 0; next }      # members, and the inline function's body
/^[a-z]/ && !/^}/ {
    declaration = $0; declared_at = FNR
    if (/\{$/) { inside = 1; check_declaration(); doc = ""; next }
    while (declaration !~ /;$/ && declaration !~ /\)$/ && (getline line) > 0) {
        sub(/^ +/, " ", line); declaration = declaration line
    }
    check_declaration(); doc = ""
    next
}
/^\{/ { inside = 1; next }
END {
    if (seen < 60) { print "found only " seen " declarations"; bad = 1 }
    exit bad
}
