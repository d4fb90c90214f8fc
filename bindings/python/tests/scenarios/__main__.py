import argparse
import signal
import sys
from pathlib import Path

from . import script
from .stage import Stage
from .world import World

PASSED, FAILED, SKIPPED = 0, 1, 77
STORY_SECONDS = 60


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--manual", action="store_true")
    parser.add_argument("--deadline", type=float, default=5)
    parser.add_argument("file", type=Path)
    parser.add_argument("directory", type=Path)
    arguments = parser.parse_args()
    signal.alarm(STORY_SECONDS)
    world = World(arguments.directory)
    stage = Stage(world, arguments.manual, arguments.deadline)
    number = 0
    try:
        for line in script.read(arguments.file):
            number = line.number
            if not world.perform(line) and not stage.perform(line):
                raise script.Failed(f"unknown verb: {line.verb}")
        stage.end()
    except script.Skipped as reason:
        print(f"{arguments.file}:{number}: {reason}")
        return SKIPPED
    except Exception as problem:
        print(f"{arguments.file}:{number}: {problem or type(problem).__name__}")
        return FAILED
    finally:
        if world.churning:
            world.do_calm(None)
    return PASSED


sys.exit(main())
