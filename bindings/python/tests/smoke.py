"""The package in use, with nothing but the standard library: for any Python that there is."""

import asyncio
import dataclasses
import os
import threading

import cmreload
from cmreload.testing import ConfigMap
from cmreload.web import WSGIMiddleware


@dataclasses.dataclass
class Settings:
    level: str
    limit: int = 1


async def follow(config, mounted):
    changes = config.changes("LEVEL")
    threading.Thread(target=mounted.update, kwargs={"LEVEL": "trace"}).start()
    return (await changes.next()).snapshot["LEVEL"]


def main():
    with ConfigMap({"LEVEL": "info\n", "app.json": {"a": [1, 2.5]}, "key": b"\xff"}) as mounted:
        config = cmreload.watch(mounted.path)
        assert config == {"LEVEL": "info", "app.json": {"a": [1, 2.5]}, "key": b"\xff"}
        assert config.get("app.json#/a/1") == config.float("app.json#/a/1") == 2.5
        assert config.bytes("LEVEL") == b"info\n"
        settings = config.bind(Settings)
        heard = []
        config.on_change("LEVEL")(heard.append)
        mounted.update(LEVEL="debug", LIMIT="7", wait_for=config)
        assert settings.current == Settings("debug", 7)
        assert [event.changes for event in heard] == [{"LEVEL": "modified"}]
        try:
            mounted.update(LIMIT="many", wait_for=config)
        except cmreload.RejectedError as rejected:
            assert rejected.key == "LIMIT"
        else:
            raise AssertionError("it was accepted")
        assert config.int("LIMIT") == 7
        mounted.update(LIMIT="8", wait_for=config)
        assert asyncio.run(follow(config, mounted)) == "trace"

        def app(environ, start_response):
            start_response("200 OK", [])
            yield cmreload.current()["LEVEL"].encode()

        response = WSGIMiddleware(app, config)({}, lambda *_: None)
        assert list(response) == [b"trace"]
        response.close()

        child = os.fork()
        if child == 0:
            mounted.update(LEVEL="child")
            while config["LEVEL"] != "child":
                config.wait(config.version - 1)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        config.close()


main()
