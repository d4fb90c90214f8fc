"""What the library writes as JSON is, read by Python's json, the tree that its own getters walk:
for every text of the formats' corpora that is accepted, and for numbers drawn at random."""

from __future__ import annotations

import base64
import json
import pathlib
import random
import struct
from ctypes import byref, c_bool, c_double, c_int64, c_size_t, c_void_p
from typing import Any

import pytest

import cmreload
from cmreload import _declarations as c
from cmreload._library import library, taken, text_at
from cmreload.testing import ConfigMap

ROOT = pathlib.Path(__file__).parents[3]
CORPORA = ROOT / "Tests" / "Fuzz" / "corpus"
PUBLIC_CASES = ROOT.parent / "shared" / "conformance"
FORMATS = ["json", "yaml", "toml", "properties", "dotenv", "ini"]


def texts(kind: str) -> dict[str, bytes]:
    """The corpus of a format, by keys that tell it."""
    suffix = "env" if kind == "dotenv" else kind
    files = sorted(path for path in (CORPORA / kind).iterdir() if path.is_file())
    return {f"{index}.{suffix}": path.read_bytes() for index, path in enumerate(files)}


def walked(value: Any) -> Any:
    """The tree below a value of the library's, by its getters alone."""
    kind = library.cmr_value_type(value)
    at, size = c_void_p(), c_size_t()
    if kind == c.CMR_TYPE_STRING:
        assert library.cmr_value_string(value, byref(at), byref(size)) == c.CMR_OK
        return text_at(at, size).decode()
    if kind == c.CMR_TYPE_BYTES:  # YAML's !!binary, which JSON has as Base64
        assert library.cmr_value_bytes(value, byref(at), byref(size)) == c.CMR_OK
        return base64.b64encode(text_at(at, size)).decode()
    if kind == c.CMR_TYPE_INT64:
        integer = c_int64()
        assert library.cmr_value_int64(value, byref(integer)) == c.CMR_OK
        return integer.value
    if kind == c.CMR_TYPE_DOUBLE:
        double = c_double()
        assert library.cmr_value_double(value, byref(double)) == c.CMR_OK
        return double.value
    if kind == c.CMR_TYPE_BOOL:
        truth = c_bool()
        assert library.cmr_value_bool(value, byref(truth)) == c.CMR_OK
        return truth.value
    if kind == c.CMR_TYPE_NULL:
        return None
    items = range(library.cmr_value_count(value))
    if kind == c.CMR_TYPE_ARRAY:
        return [walked(library.cmr_value_at(value, index)) for index in items]
    assert kind == c.CMR_TYPE_OBJECT
    members = {}
    for index in items:
        assert library.cmr_value_name_at(value, index, byref(at), byref(size)) == c.CMR_OK
        members[text_at(at, size).decode()] = walked(library.cmr_value_at(value, index))
    return members


def exactly(value: Any) -> Any:
    """A tree in which 1 is not 1.0, -0.0 is not 0.0, and the order of members counts."""
    if isinstance(value, float):
        return "double", struct.pack("<d", value)
    if isinstance(value, list):
        return "array", [exactly(element) for element in value]
    if isinstance(value, dict):
        return "object", [(name, exactly(member)) for name, member in value.items()]
    return type(value).__name__, value


def trips(data: dict[str, bytes]) -> dict[str, Any]:
    """Publishes texts, and compares of each one that is accepted what the library writes as JSON
    with what its getters say; the trees of those."""
    with ConfigMap(**data) as config_map, cmreload.watch(config_map.path, lenient=True) as config:
        with config._watcher as watcher:
            pointer = library.cmr_watcher_acquire(watcher)
        trees = {}
        try:
            for key in data:
                at, size = c_void_p(), c_size_t()
                value = library.cmr_snapshot_value(pointer, key.encode())
                if library.cmr_value_type(value) == c.CMR_TYPE_BYTES:
                    continue  # not UTF-8, and kept as it is
                failed = library.cmr_snapshot_json(pointer, key.encode(), byref(at), byref(size))
                assert failed == c.CMR_OK
                written, tree = json.loads(taken(at, size)), walked(value)
                assert exactly(written) == exactly(tree), key
                trees[key] = tree
        finally:
            library.cmr_snapshot_release(pointer)
        return trees


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_accepted_is_the_same_in_json(kind: str) -> None:
    trees = trips(texts(kind))
    parsed = [tree for tree in trees.values() if not isinstance(tree, str)]
    assert len(parsed) >= 5, "the corpus has texts that are accepted"


@pytest.mark.skipif(not PUBLIC_CASES.is_dir(), reason="the public cases do not lie beside it")
def test_the_public_cases_are_the_same_in_json() -> None:
    cases = sorted((PUBLIC_CASES / "json").rglob("*.json"))
    data = {f"{index}.json": path.read_bytes() for index, path in enumerate(cases)}
    assert len(trips(data)) > 100


@pytest.mark.parametrize("suffix", ["json", "yaml", "toml"])
def test_numbers_keep_each_digit_and_bit(suffix: str) -> None:
    numbers: list[float] = [2**63 - 1, -(2**63), 0, 2**53 + 1, 5e-324, 1.7976931348623157e308]
    drawn = random.Random(1789)
    while len(numbers) < 4000:
        bits = drawn.getrandbits(64)
        number = struct.unpack("<d", struct.pack("<Q", bits))[0]
        if number == number and abs(number) != float("inf"):
            numbers.append(number)
        numbers.append(bits - 2**63)
    text = json.dumps(numbers)
    data = {f"numbers.{suffix}": ("n = " + text if suffix == "toml" else text).encode()}
    tree = trips(data)[f"numbers.{suffix}"]
    assert exactly(tree["n"] if suffix == "toml" else tree) == exactly(numbers)
