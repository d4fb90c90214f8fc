"""``python -m cmreload``: look at a configuration, follow it, check it before it is rolled out."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from .config import Config
from .errors import Error, RejectedError, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .events import Event

OK, REFUSED = 0, 1
COLOURS = {"+": "\033[32m", "-": "\033[31m", "~": "\033[33m"}
PLAIN = "\033[0m"


def printable(value: Any) -> Any:
    """A value as JSON takes it: what is not UTF-8 as base64."""
    return b64encode(value).decode() if isinstance(value, bytes) else value


def text_of(value: Any) -> str:
    value = printable(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def differences(event: Event) -> Iterator[tuple[str, str]]:
    """The lines of a diff, each with its sign."""
    for key, change in event.changes.items():
        if change != "added" and event.previous is not None:
            yield "-", f"{key} = {text_of(event.previous[key])}"
        if change != "removed":
            yield "+", f"{key} = {text_of(event.snapshot[key])}"


def print_text(event: Event) -> None:
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    if event.kind == "published":
        print(f"version {event.version} ({event.cause})")
        lines = list(differences(event))
    else:
        print(f"{event.kind.replace('_', ' ')}; version {event.version} stays")
        lines = [("~", str(event.error))]
    for sign, text in lines:
        for line in text.splitlines() or [""]:
            line = f"{sign} {line}"
            print(f"{COLOURS[sign]}{line}{PLAIN}" if coloured else line)
    sys.stdout.flush()


def print_json(event: Event) -> None:
    line: dict[str, Any] = {"kind": event.kind, "cause": event.cause, "version": event.version}
    if event.kind == "published":
        line["changes"] = {
            key: {"change": change, "value": printable(event.snapshot.get(key))}
            for key, change in event.changes.items()
        }
    if event.error is not None:
        error = event.error
        line["error"] = {
            "status": error.status_name,
            "key": error.key,
            "line": error.line,
            "column": error.column,
            "message": error.message,
        }
    print(json.dumps(line, ensure_ascii=False), flush=True)


def follow(arguments: argparse.Namespace) -> int:
    """Prints each version and each rejection until it is told to end."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    config = Config(arguments.directory)

    @config.on_event
    def tell(event: Event) -> None:
        try:
            (print_json if arguments.json else print_text)(event)
        except BrokenPipeError:  # nobody reads on
            ended.set()

    with config:
        ended.wait()
    return OK


def get(arguments: argparse.Namespace) -> int:
    """Prints the value at a path."""
    with Config(arguments.directory) as config:
        value = config.snapshot.find(arguments.path)
    if isinstance(value, bytes):
        sys.stdout.buffer.write(value)
    else:
        print(text_of(value))
    return OK


def check(arguments: argparse.Namespace) -> int:
    """Says whether a directory would be accepted."""
    schemas = dict(text.split("=", 1) if "=" in text else ("", text) for text in arguments.schema)
    try:
        with Config(arguments.directory, schemas=schemas) as config:
            print(f"ok: {len(config)} keys, checksum {config.snapshot.checksum}")
        return OK
    except RejectedError as rejected:
        for violation in rejected.violations:
            # What is in no text, a key that is missing say, has neither a key nor a line.
            place = place_of(violation.key, violation.line, violation.column)
            said = f"{violation.expected} ({violation.keyword})"
            print(*filter(None, (place, violation.instance_path or "/", said)), sep=": ")
        if not rejected.violations:
            raise
    return REFUSED


def parser() -> argparse.ArgumentParser:
    commands = argparse.ArgumentParser(prog="python -m cmreload", description=__doc__)
    command = commands.add_subparsers(required=True, metavar="COMMAND")

    following = command.add_parser(
        "watch", help="print changes as they come", description=follow.__doc__
    )
    following.add_argument("directory", metavar="DIR")
    following.add_argument("--json", action="store_true", help="one line of JSON for each event")
    following.set_defaults(run=follow)

    getting = command.add_parser("get", help="print one value", description=get.__doc__)
    getting.add_argument("directory", metavar="DIR")
    getting.add_argument("path", metavar="PATH", help="KEY, or KEY#/pointer")
    getting.set_defaults(run=get)

    checking = command.add_parser(
        "check", help="say whether it would be accepted", description=check.__doc__
    )
    checking.add_argument("directory", metavar="DIR")
    checking.add_argument(
        "--schema",
        action="append",
        default=[],
        metavar="[KEY=]FILE",
        help="a JSON Schema for all keys, or for one",
    )
    checking.set_defaults(run=check)
    return commands


def main(words: list[str] | None = None) -> int:
    logging.getLogger("cmreload").setLevel(logging.CRITICAL)  # events and exceptions say it all
    arguments = parser().parse_args(words)
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # What is left in the buffer would fail once more when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except (Error, OSError) as problem:
        print(f"cmreload: {problem}", file=sys.stderr)
        return REFUSED


if __name__ == "__main__":
    sys.exit(main())
