"""What text reads as: the library's rules, written down twice and compared."""

import ctypes
from ctypes import byref

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import cmreload
from cmreload import _declarations as c
from cmreload import values
from cmreload._library import library
from cmreload.errors import STATUS_NAMES
from cmreload.patterns import compile_pattern

SPACE = st.text(" \t\n\r\v\f", max_size=2)
DIGITS = st.one_of(
    st.text("0123456789", max_size=4),
    st.sampled_from(["9223372036854775807", "9223372036854775808", "18446744073709551616"]),
    st.text("0123456789", min_size=15, max_size=25),
)
SIGN = st.sampled_from(["", "", "-", "+", "--"])
NUMBER = st.builds(
    lambda *parts: "".join(parts),
    SIGN,
    DIGITS,
    st.sampled_from(["", "", "."]),
    DIGITS,
    st.sampled_from(["", "", "", "e3", "E-2", "e", "e+400", "e-400", "e18"]),
)
SUFFIX = st.sampled_from(
    ["n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "i", "K"]
)
UNIT = st.sampled_from(["ns", "us", "\u00b5s", "\u03bcs", "ms", "s", "m", "h", "d", " s", "S"])
TEXT = st.one_of(
    NUMBER,
    st.builds(str.__add__, NUMBER, SUFFIX),
    st.lists(st.builds(str.__add__, NUMBER, UNIT), min_size=1, max_size=3).map("".join),
    st.sampled_from(["true", "Yes", "oN", "FALSE", "no", "off", "truE ", "ja", "K", "\u212a", ""]),
    st.text(max_size=5),
)
NATIVE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([2.0**63, -(2.0**63), 9.5e9, 1e18, 0.5, -0.5, 1e-10]),
    st.lists(st.integers(0, 3), max_size=2),
    TEXT,
)

GETTERS = {
    "int": ("cmr_snapshot_int64", ctypes.c_int64),
    "float": ("cmr_snapshot_double", ctypes.c_double),
    "bool": ("cmr_snapshot_bool", ctypes.c_bool),
    "duration": ("cmr_snapshot_duration", ctypes.c_int64),
    "quantity": ("cmr_snapshot_quantity", ctypes.c_int64),
}


def by_the_library(config, kind, path):
    """What a C function reads, or the name of its status."""
    name, answer = GETTERS[kind]
    out = answer()
    with config._watcher as watcher:
        pointer = library.cmr_watcher_acquire(watcher)
    try:
        status = getattr(library, name)(pointer, path.encode(), byref(out))
    finally:
        library.cmr_snapshot_release(pointer)
    return STATUS_NAMES[status] if status else out.value


def by_python(config, kind, path):
    try:
        if kind == "duration":
            return nanoseconds(config.find(path))
        return getattr(config, kind)(path)
    except cmreload.Error as problem:
        return problem.status_name


def nanoseconds(value):
    """A duration is compared before it is rounded to what a timedelta can hold."""
    try:
        return values.read_nanoseconds(value)
    except values._NotOfType:
        return "CMR_E_TYPE"
    except values._OutOfRange:
        return "CMR_E_RANGE"


def assert_both_read_the_same(config, path):
    for kind in GETTERS:
        assert by_python(config, kind, path) == by_the_library(config, kind, path), kind


@settings(max_examples=300, deadline=None)
@given(before=SPACE, text=TEXT, after=SPACE)
@example(before="", text="-9223372036854775808", after="")
@example(before="", text="-9223372036854775809", after="")
@example(before="", text="-9.223372036854775808e18", after="")
@example(before="", text="1h30m", after="")
@example(before="", text=".5s", after="")
@example(before="", text="5.s", after="")
@example(before="", text="100m", after="")
@example(before="", text="1e-2000000000000", after="")
@example(before="", text="0e99999999999999999999", after="")
@example(before="", text="1\u017f", after="")
def test_the_text_of_a_key_reads_as_through_c(before, text, after):
    with cmreload.watch(defaults={"key": before + text + after}) as config:
        assert_both_read_the_same(config, "key")


@settings(max_examples=300, deadline=None)
@given(value=NATIVE)
def test_a_value_inside_a_document_reads_as_through_c(value):
    with cmreload.watch(defaults={"key.json": {"value": value}}) as config:
        assert config["key.json"] == {"value": value}
        assert_both_read_the_same(config, "key.json#/value")


KEYS = st.text("ab#/.~0", min_size=1, max_size=4).filter(
    lambda key: "/" not in key and not key.startswith(".") and key != "."
)


@settings(max_examples=200, deadline=None)
@given(
    content=st.dictionaries(
        KEYS.map(lambda key: key + ".json"),
        st.recursive(
            st.integers(0, 9),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3),
                st.dictionaries(st.text("ab/~01", max_size=2), inner, max_size=3),
            ),
            max_leaves=6,
        ),
        min_size=1,
        max_size=3,
    ),
    data=st.data(),
)
def test_a_path_leads_where_it_leads_in_c(content, data):
    key = data.draw(st.sampled_from(sorted(content)))
    path = key + data.draw(st.text("#/ab~01-", max_size=7))
    with cmreload.watch(defaults=content) as config:
        with config._watcher as watcher:
            pointer = library.cmr_watcher_acquire(watcher)
        there = library.cmr_snapshot_value(pointer, path.encode()) is not None
        library.cmr_snapshot_release(pointer)
        nothing = object()
        assert (config.get(path, nothing) is not nothing) == there
        if there:
            assert by_python(config, "int", path) == by_the_library(config, "int", path)


PATTERN = st.lists(
    st.sampled_from(
        ["a", "b", "ä", "-", "]", "[", "!", "^", "*", "?", "\\", "[ab]", "[!ab]", "[^a]", "[a-c]",
         "[]a]", "[a-]", "[[:digit:]]", "[[:punct:]x]", "[[:nope:]]", "[\\]a]", "1", "/", "."]
    ),
    max_size=5,
).map("".join)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(pattern=PATTERN, key=st.text("abcä-]![^1/.", min_size=1, max_size=4))
@example(pattern="features.*", key="features.json")
@example(pattern="[a-c]", key="b")
@example(pattern="[!a-c]", key="b")
def test_a_pattern_matches_what_it_matches_in_c(pattern, key):
    heard = []

    @c.cmr_event_fn
    def hear(context, event):
        heard.append(event.contents.change_count)

    config = cmreload.Config(defaults={key: "1"})
    with config._watcher as watcher:
        refused = library.cmr_watcher_subscribe(
            watcher, pattern.encode(), 0, hear, None, None, None
        )
    try:
        compiled = compile_pattern(pattern)
    except ValueError:
        compiled = None
    assert (compiled is None) == bool(refused)
    with config:
        pass
    if compiled is not None:
        assert bool(compiled.fullmatch(key)) == bool(heard)


def test_errors_name_the_path_and_not_the_value():
    config = cmreload.Config(defaults={"a.json": {"password": "hunter2"}})
    with config, pytest.raises(cmreload.TypeMismatchError, match="an integer") as raised:
        config.int("a.json#/password")
    assert raised.value.key == "a.json#/password"
    assert "hunter2" not in f"{raised.value}{raised.value!r}"
