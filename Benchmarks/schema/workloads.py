"""The schemas and texts that validators are measured on, made with a fixed seed."""

import json
import random

MIB = 1 << 20


def filled(make, wrap):
    """JSON of about a mebibyte: as many of what `make` gives as it takes."""
    items, size = [], 0
    while size < MIB:
        item = make(len(items))
        size += len(json.dumps(item, separators=(",", ":"))) + 1
        items.append(item)
    return wrap(items)


def value_and_schema(random, index):
    """One of the kinds of settings that services have."""
    name = f"item-{random.randrange(10**6)}"
    return [
        (random.randrange(1, 65536), {"type": "integer", "minimum": 1, "maximum": 65535}),
        (name, {"type": "string", "minLength": 1, "maxLength": 64}),
        (random.random() < 0.5, {"type": "boolean"}),
        (round(random.random(), 4), {"type": "number", "minimum": 0, "maximum": 1}),
        (random.choice(["debug", "info", "warn", "error"]),
         {"enum": ["debug", "info", "warn", "error"]}),
        (None, {"type": ["string", "null"]}),
        ([f"t{random.randrange(100)}", "blue"],
         {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True}),
        ({"host": name, "port": random.randrange(1, 65536)},
         {"type": "object", "required": ["host", "port"], "additionalProperties": False,
          "properties": {"host": {"type": "string"}, "port": {"type": "integer"}}}),
    ][index % 8]


def wide(rng):
    """Objects of 200 members, all known and all required."""
    names = [f"setting_{index:03}" for index in range(200)]
    schemas = {name: value_and_schema(rng, index)[1] for index, name in enumerate(names)}
    schema = {"type": "array", "items": {
        "type": "object", "properties": schemas, "required": names,
        "additionalProperties": False}}

    def make(_):
        return {name: value_and_schema(rng, index)[0] for index, name in enumerate(names)}

    return schema, filled(make, list)


def sparse(rng):
    """Objects that have ten of 200 members, in any order."""
    names = [f"setting_{index:03}" for index in range(200)]
    schemas = {name: value_and_schema(rng, index)[1] for index, name in enumerate(names)}
    schema = {"type": "array", "items": {"type": "object", "properties": schemas}}

    def make(_):
        return {names[index]: value_and_schema(rng, index)[0]
                for index in rng.sample(range(200), 10)}

    return schema, filled(make, list)


def flags(rng):
    """One object of 200 known sections, each a list of feature flags with references and patterns."""
    flag = {
        "type": "object", "required": ["id", "name", "enabled"],
        "properties": {
            "id": {"type": "integer", "minimum": 0},
            "name": {"type": "string", "pattern": "^[a-z][a-z0-9-]*$"},
            "enabled": {"type": "boolean"},
            "weight": {"type": "number", "minimum": 0, "maximum": 1},
            "owner": {"anyOf": [{"type": "null"}, {"type": "string"}]},
            "rules": {"type": "array", "items": {"$ref": "#/$defs/rule"}}}}
    rule = {"type": "object", "required": ["attribute", "operator"], "properties": {
        "attribute": {"type": "string"},
        "operator": {"enum": ["equals", "contains", "matches"]},
        "values": {"type": "array", "items": {"type": "string"}}}}
    names = [f"section_{index:03}" for index in range(200)]
    schema = {"type": "object", "$defs": {"flag": flag, "rule": rule},
              "properties": {name: {"type": "array", "items": {"$ref": "#/$defs/flag"}}
                             for name in names}}

    def make(number):
        return {"id": number, "name": f"flag-{rng.randrange(16**8):08x}",
                "enabled": rng.random() < 0.5, "weight": round(rng.random(), 4),
                "owner": rng.choice([None, "team-a"]),
                "rules": [{"attribute": "country", "operator": "equals",
                           "values": ["de", "fr"]}]}

    def wrap(items):
        return {name: items[index::200] for index, name in enumerate(names)}

    return schema, filled(make, wrap)


def strict(rng):
    """Objects put together of three schemas, without any other member."""
    base = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}
    limits = {"properties": {"limit": {"type": "integer"}, "burst": {"type": "integer"}}}
    schema = {"type": "array", "$defs": {"base": base, "limits": limits}, "items": {
        "allOf": [{"$ref": "#/$defs/base"}, {"$ref": "#/$defs/limits"}],
        "properties": {"enabled": {"type": "boolean"}}, "unevaluatedProperties": False}}

    def make(number):
        return {"id": number, "name": f"limit-{rng.randrange(10**6)}",
                "limit": rng.randrange(1000), "burst": rng.randrange(100), "enabled": True}

    return schema, filled(make, list)


def all_workloads():
    return {make.__name__: make(random.Random(7)) for make in (wide, sparse, flags, strict)}
