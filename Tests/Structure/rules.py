"""The edges that no compiler holds: which folder may know which, and how every file looks.

Each rule takes a Tree and yields complaints, "file:line: what". structure.py runs them and, for
each rule, proves on a broken copy that it can complain.
"""

import os
import pathlib
import re
import subprocess
import tomllib

RULES = []


def rule(sentence, broken):
    """Registers a rule; `broken` are files by path, of which it must complain about the first."""

    def register(function):
        RULES.append((sentence, function, broken))
        return function

    return register


class Tree:
    """The files of the project, read once."""

    def __init__(self, files):
        self.files = files

    @classmethod
    def of(cls, root):
        """What git has or would take up; files that are not text are left out."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root, check=True, capture_output=True, text=True,
        )
        files = {}
        for path in filter(None, listed.stdout.split("\0")):
            try:
                files[path] = (pathlib.Path(root) / path).read_text()
            except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
                continue
        return cls(files)

    def with_files(self, files):
        return Tree(self.files | files)

    def below(self, folder, *suffixes):
        """Path and text of the files below a folder, sorted."""
        for path, text in sorted(self.files.items()):
            if path.startswith(folder) and (not suffixes or path.endswith(suffixes)):
                yield path, text


NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"', re.S)


def code(text):
    """Swift without comments and string literals, line breaks kept."""
    return NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def lines(path, text, pattern, what):
    """A complaint for each line that matches."""
    for number, line in enumerate(text.splitlines(), 1):
        match = re.search(pattern, line)
        if match:
            yield f"{path}:{number}: {what}: {match.group().strip()}"


def imports(tree, folder, allowed):
    kind = r"(?:(?:struct|class|enum|func|protocol)\s+)?"
    pattern = rf"^\s*(?:[@\w()]+\s+)*import\s+{kind}(?!(?:{'|'.join(allowed)})\b)\w+"
    for path, text in tree.below(folder, ".swift"):
        yield from lines(path, code(text), pattern, f"only {', '.join(allowed)} may be imported")


@rule(
    "Config imports nothing of ours and no libc",
    {"Sources/Config/Broken.swift": "// Broken.\nprivate import Reload\n"},
)
def config_imports(tree):
    yield from imports(tree, "Sources/Config/", ["Builtin", "CYAML", "Synchronization"])


@rule(
    "libyaml is known to one file",
    {"Sources/Config/Broken.swift": "// Broken.\nprivate import CYAML\n"},
)
def libyaml_edge(tree):
    for path, text in tree.below("Sources/", ".swift"):
        if path != "Sources/Config/Format/YAMLEvents.swift":
            yield from lines(path, code(text), r"\bCYAML\b|\byaml_\w+", "only YAMLEvents may use")


@rule(
    "Reload imports Config and CSystem",
    {"Sources/Reload/Broken.swift": "// Broken.\nimport Glibc\n"},
)
def reload_imports(tree):
    yield from imports(tree, "Sources/Reload/", ["Config", "CSystem", "Synchronization"])


@rule(
    "CMReload imports the header, Config and Reload",
    {"Sources/CMReload/Broken.swift": "// Broken.\nimport CSystem\n"},
)
def cmreload_imports(tree):
    allowed = ["CCMReload", "Config", "Reload", "Synchronization"]
    yield from imports(tree, "Sources/CMReload/", allowed)


DECLARATION = re.compile(
    r"^(?!\s|private|fileprivate)(?:[@\w()]+\s+)*"
    r"(?:class|struct|enum|protocol|typealias)\s+(\w+)", re.M
)


def declared(tree, folder):
    """The types that the files of a folder declare for others to use."""
    files = tree.below(folder, ".swift")
    return {name for _, text in files for name in DECLARATION.findall(code(text))}


def knows(tree, folder, forbidden):
    """A complaint for each mention, in a folder, of a type that the forbidden folders declare."""
    names = set().union(*(declared(tree, other) for other in forbidden)) - declared(tree, folder)
    if not names:
        return
    pattern = rf"\b(?:{'|'.join(sorted(names))})\b"
    for path, text in tree.below(folder, ".swift"):
        what = f"{folder} may not know {' or '.join(forbidden)}"
        yield from lines(path, code(text), pattern, what)


SYSTEM, SOURCE, WATCHER = (f"Sources/Reload/{room}/" for room in ("System", "Source", "Watcher"))


@rule(
    "System knows neither Source nor Watcher",
    {SYSTEM + "Broken.swift": "// Broken.\nlet broken: Elsewhere? = nil\n",
     SOURCE + "Elsewhere.swift": "// Broken.\npackage final class Elsewhere {}\n"},
)
def system_edges(tree):
    yield from knows(tree, SYSTEM, [SOURCE, WATCHER])


@rule(
    "Source does not know Watcher",
    {SOURCE + "Broken.swift": "// Broken.\nlet broken: Elsewhere? = nil\n",
     WATCHER + "Elsewhere.swift": "// Broken.\n@safe package struct Elsewhere {}\n"},
)
def source_edges(tree):
    yield from knows(tree, SOURCE, [WATCHER])


@rule(
    "the C interface appears in CMReload alone",
    {"Sources/Reload/Broken.swift": "// Broken.\nlet broken: OpaquePointer? = nil\n"},
)
def interface_edge(tree):
    for path, text in tree.below("Sources/", ".swift"):
        if not path.startswith("Sources/CMReload/"):
            pattern = r"\bcmr_\w+|\bUnmanaged\b|\bOpaquePointer\b"
            yield from lines(path, code(text), pattern, "only CMReload may mention")


@rule(
    "outside code includes cmreload.h and nothing else of ours",
    {"Tests/ABITests/broken.c": '#include "../../Sources/CSystem/include/csystem.h"\n'},
)
def outside_includes(tree):
    ours = {path.rsplit("/", 1)[-1] for path, _ in tree.below("Sources/", ".h")}
    folders = ("bindings/c/", "Tests/ABITests/", "Tests/Fuzz/", "Tests/Model/",
               "Tests/Observability/", "Tests/Packaging/")
    for folder in folders:
        for path, text in tree.below(folder, ".c", ".cpp", ".h"):
            for number, line in enumerate(text.splitlines(), 1):
                included = re.match(r'\s*#\s*include\s*["<](.+?)[">]', line)
                if included and included[1].rsplit("/", 1)[-1] in ours:
                    yield f"{path}:{number}: may include cmreload.h alone: {included[1]}"


@rule(
    "no file names a folder of somebody's machine",
    {"Tests/broken.txt": "see /" + "home/somebody/project\n"},
)
def no_private_paths(tree):
    pattern = r"(?<![\w.}])/(?:work|root|home|Users|opt/swift)/\S*"
    for path, text in tree.below(""):
        yield from lines(path, text, pattern, "a private path")


@rule(
    "nothing is left for later",
    {"Sources/Config/Broken.swift": "// Broken. TO" + "DO: mend\n"},
)
def nothing_left(tree):
    for path, text in tree.below(""):
        yield from lines(path, text, r"\b(?:TO" r"DO|FIX" r"ME)\b", "unfinished")


@rule(
    "no line is longer than 100 columns",
    {"include/broken.h": "/* " + "x" * 98 + " */\n"},
)
def line_length(tree):
    for path, text in tree.below("", ".swift", ".c", ".cpp", ".h"):
        for number, line in enumerate(text.splitlines(), 1):
            # A literal that stands alone on its line is one text: broken it would read worse.
            if len(line) > 100 and not re.fullmatch(r'\s*(?:== )?#*"[^\n]*"#*(?:[,)].*)?', line):
                yield f"{path}:{number}: {len(line)} columns"


@rule(
    "every Swift file opens by saying what it is for",
    {"Sources/Config/Broken.swift": "let broken = 1\n"},
)
def opening_comment(tree):
    for path, text in tree.below("", ".swift"):
        if not re.match(r"//+ *\S", text):
            yield f"{path}:1: does not open with a comment"


# How a test is named in a document, `FILE: NAME`, and how its file spells that.
NAMED_TEST = re.compile(r"`([\w.-]+\.(c|py|go|swift|sh)): ([^`]+)`")
SPELLED = {
    "c": ['TEST("{}")'],
    "py": ["def {}("],
    "go": ["func {}("],
    "swift": ['@Test("{}"', "func `{}`"],
    "sh": ['check "{}"'],
}


def is_test(tree, file, kind, name):
    files = [text for place, text in tree.files.items() if place.rsplit("/", 1)[-1] == file]
    # A literal that is broken over lines is one sentence.
    joined = [re.sub(r'"\s*\n\s*"', "", text) for text in files]
    return any(form.format(name) in text for form in SPELLED[kind] for text in joined)


@rule(
    "a test that a document names is one",
    {"docs/broken.md": "| 1 | as `fork.c: a child that nobody tests` tells |\n"},
)
def named_tests(tree):
    for path, text in tree.below("", ".md"):
        for match in NAMED_TEST.finditer(text):
            name = " ".join(match[3].split())
            if not is_test(tree, match[1], match[2], name):
                line = match.string.count("\n", 0, match.start()) + 1
                yield f"{path}:{line}: there is no such test: {match[1]}: {name}"


@rule(
    "a mutation changes text that stands once in its file, and names a test",
    {"Tests/Mutations/mutations.toml": '[[mutation]]\nbug = "none"\nfile = "README.md"\n'
     'old = "text that nobody wrote"\nnew = ""\ntest = "fork.c: a child that nobody tests"\n'},
)
def mutations(tree):
    path = "Tests/Mutations/mutations.toml"
    listed = tomllib.loads(tree.files.get(path, ""))["mutation"]
    if len(listed) < 20:
        yield f"{path}:1: fewer than twenty mutations"
    for mutation in listed:
        bug = mutation["bug"]
        if tree.files.get(mutation["file"], "").count(mutation["old"]) != 1:
            yield f"{path}: {bug}: {mutation['file']} does not have the text once"
        file, name = mutation["test"].split(": ", 1)
        if not is_test(tree, file, file.rsplit(".", 1)[-1], name):
            yield f"{path}: {bug}: there is no such test: {mutation['test']}"


@rule(
    "a scenario that a table names is one, and each edge case is told by something",
    {"docs/EDGE-CASES.md": "| 1 | Nothing tells it | `no-such-story` | |\n| 2 | Nothing | | |\n"},
)
def told_edge_cases(tree):
    path = "docs/EDGE-CASES.md"
    text = tree.files.get(path, "")
    numbers = set()
    for number, line in enumerate(text.splitlines(), 1):
        row = re.fullmatch(r"\| (\d+) \|(.*)\|(.*)\|(.*)\|", line)
        if not row:
            continue
        numbers.add(int(row[1]))
        for name in re.findall(r"`([^`]*)`", row[3]):
            if f"Tests/Scenarios/{name}.scenario" not in tree.files:
                yield f"{path}:{number}: there is no such scenario: {name}"
        if "`" not in row[3] + row[4]:
            yield f"{path}:{number}: nothing tells of {row[1]}"
    if numbers != set(range(1, 31)):
        yield f"{path}:1: not every edge case has a line"


@rule(
    "a file that a document names is there",
    {"docs/broken.md": "See `Tests/Nowhere/broken.c`, or [this](nowhere.md).\n"},
)
def named_files(tree):
    folders = {folder for path in tree.files for folder in parents(path)}
    for path, text in tree.below("", ".md"):
        here = path.rsplit("/", 1)[0] + "/" if "/" in path else ""
        named = [(match, match[1]) for match in re.finditer(
            r"`((?:Sources|Tests|bindings|docs|include)/[\w./+-]*\w)`", text)]
        # Words in capitals stand for others; brackets within code are no links.
        named = [(match, file) for match, file in named if not re.search(r"/[A-Z]+(\.s|$)", file)]
        prose = re.sub(r"```.*?```|`[^`\n]*`", lambda code: "\n" * code[0].count("\n"), text,
                       flags=re.S)
        named += [(match, os.path.normpath(here + match[1])) for match in re.finditer(
            r"\]\((?!\w+:|#)([^)#\s]+)", prose)]
        for match, file in named:
            if file not in tree.files and file not in folders:
                line = match.string.count("\n", 0, match.start()) + 1
                yield f"{path}:{line}: there is no such file: {file}"


def parents(path):
    while "/" in path:
        path = path.rsplit("/", 1)[0]
        yield path
