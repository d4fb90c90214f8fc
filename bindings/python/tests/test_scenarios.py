"""The stories that every language tells: Tests/Scenarios."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SCENARIOS = HERE.parents[2] / "Tests" / "Scenarios"
SKIPPED = 77


def tell(path, directory, *options):
    directory.chmod(0o755)
    words = [sys.executable, "-m", "scenarios", *options, path, directory]
    return subprocess.run(words, cwd=HERE, capture_output=True, text=True, check=False)


def stories(folder):
    return [pytest.param(path, id=path.stem) for path in sorted(folder.glob("*.scenario"))]


@pytest.fixture
def directory():
    """A directory that every user may reach."""
    with tempfile.TemporaryDirectory(prefix="cmreload-", ignore_cleanup_errors=True) as made:
        yield Path(made)


@pytest.mark.parametrize("options", [(), ("--manual",)], ids=["thread", "manual"])
@pytest.mark.parametrize("path", stories(SCENARIOS))
def test_story(path, options, directory):
    told = tell(path, directory, *options)
    if told.returncode == SKIPPED:
        pytest.skip(told.stdout)
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stderr == ""


@pytest.mark.parametrize("path", stories(SCENARIOS / "failing"))
def test_story_fails_where_it_must(path, directory):
    lines = path.read_text().splitlines()
    number = lines.index("# fails here") + 2
    told = tell(path, directory, "--deadline", "1")
    assert told.returncode == 1
    assert told.stdout.startswith(f"{path}:{number}: ")
