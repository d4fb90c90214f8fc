"""What README.md shows runs, on a mount of its own instead of /etc/config."""

import asyncio
import re
from pathlib import Path

import pytest

from cmreload.testing import ConfigMap

README = Path(__file__).resolve().parents[1] / "README.md"
CONTENT = {
    "LOG_LEVEL": "info\n",
    "MAX_CONNECTIONS": "100",
    "TIMEOUT": "1h30m",
    "CACHE": "64Mi",
    "features.json": {"dark_mode": True},
}


def blocks():
    found = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.M | re.S)
    return [pytest.param(text, id=text.splitlines()[0][:40]) for text in found]


@pytest.mark.parametrize("text", blocks())
def test_a_block_of_the_readme_runs(text):
    with ConfigMap(CONTENT) as mounted:
        program = text.replace("/etc/config", mounted.path)
        scope = {"__name__": "__main__", "change": lambda key, value: mounted.update({key: value})}
        exec(compile("import cmreload\n" + program, str(README), "exec"), scope)
        if "async def main" in text:
            changing = scope["main"]()

            async def beside():
                running = asyncio.ensure_future(changing)
                turn = 0
                while not running.done():
                    turn += 1
                    mounted.update(TURN=str(turn))
                    await asyncio.sleep(0)
                await running

            asyncio.run(asyncio.wait_for(beside(), 20))
        if "config" in scope:
            if "app" in scope:
                answer = scope["app"].test_client().get("/config")
                assert answer.json["LOG_LEVEL"] == "info"
                assert answer.headers["X-Config-Version"] == "1"
            scope["config"].close()


def test_what_the_first_block_says_of_values_is_so():
    text = re.search(r"^```python\n(.*?)^```", README.read_text(), re.M | re.S)[1]
    shown = re.findall(r"^    (config\S.*?)  +# ([^:\n]+)", text, re.M)
    assert len(shown) == 3
    with ConfigMap(CONTENT) as mounted:
        import cmreload

        with cmreload.watch(mounted.path) as config:
            for expression, value in shown:
                assert repr(eval(expression)) == value, (config, expression)


def test_the_wheel_is_named_as_it_is_built():
    import cmreload

    assert (
        f"cmreload-{cmreload.__version__}-py3-none-manylinux_2_34_x86_64.whl" in README.read_text()
    )


def test_every_file_that_is_linked_is_there():
    for target in re.findall(r"\]\(([^)#]+)\)", README.read_text()):
        assert (README.parent / target).exists(), target
