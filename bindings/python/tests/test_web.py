"""One version for a whole request; the endpoints. Real servers are in test_services.py."""

import asyncio
import threading

import pytest

import cmreload
from cmreload.web import ASGIMiddleware, WSGIMiddleware, asgi_endpoints, wsgi_endpoints

PATIENCE_SECONDS = 30


@pytest.fixture
def config(watch, configmap):
    configmap.update(KEY="first")
    return watch(configmap.path)


def held(config):
    return config.stats.held_snapshots


# ---- WSGI ----


def call_wsgi(app, path="/", method="GET", script=""):
    """Status, headers, and the response, not yet iterated over."""
    started = []

    def start_response(status, headers, exc_info=None):
        started.append((status, dict(headers)))

    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "SCRIPT_NAME": script}
    response = app(environ, start_response)
    return started, response


def test_a_wsgi_request_keeps_its_version_until_the_last_byte_is_out(config, configmap):
    closed = []

    def app(environ, start_response):
        def body():
            yield cmreload.current()["KEY"].encode()
            configmap.update(KEY="second", wait_for=config)
            yield cmreload.current()["KEY"].encode()
            closed.append(cmreload.current()["KEY"])

        start_response("200 OK", [("Content-Type", "text/plain")])
        return body()

    started, response = call_wsgi(WSGIMiddleware(app, config))
    assert held(config) == 1
    assert list(response) == [b"first", b"first"]
    assert closed == ["first"]
    assert held(config) == 1
    response.close()
    assert held(config) == 0
    assert started == [("200 OK", {"Content-Type": "text/plain", "X-Config-Version": "1"})]
    assert config["KEY"] == "second"
    with pytest.raises(cmreload.StateError):
        cmreload.current()


def test_wsgi_requests_of_one_thread_do_not_see_each_other(config, configmap):
    def app(environ, start_response):
        start_response("200 OK", [])
        return (cmreload.current()["KEY"].encode() for _ in range(2))

    middleware = WSGIMiddleware(app, config)
    first = call_wsgi(middleware)[1]
    configmap.update(KEY="second", wait_for=config)
    second = call_wsgi(middleware)[1]
    assert [next(first), next(second), next(first), next(second)] == [
        b"first", b"second", b"first", b"second",
    ]  # fmt: skip
    for response in (first, second):
        response.close()
    assert held(config) == 0


@pytest.mark.parametrize("named", [False, True])
def test_a_wsgi_application_may_write_and_say_what_went_wrong(config, named):
    written, problem = [], (ValueError, ValueError(), None)

    def app(environ, start_response):
        arguments = ("500 Internal Server Error", [])
        if named:
            write = start_response(*arguments, exc_info=problem)
        else:
            write = start_response(*arguments, problem)
        write(cmreload.current()["KEY"].encode())
        return []

    def start_response(status, headers, exc_info=None):
        assert headers == [("X-Config-Version", "1")]
        assert exc_info is problem
        return written.append

    response = WSGIMiddleware(app, config)({}, start_response)
    assert list(response) == []
    response.close()
    assert written == [b"first"]
    assert held(config) == 0


def test_a_wsgi_application_that_fails_lets_go(config):
    def app(environ, start_response):
        raise RuntimeError("the application's own problem")

    with pytest.raises(RuntimeError):
        call_wsgi(WSGIMiddleware(app, config))
    assert held(config) == 0


def test_a_wsgi_response_that_is_closed_early_closes_the_application_s(config):
    closed = []

    class Body:
        def __iter__(self):
            return iter([b"1", b"2"])

        def close(self):
            closed.append(cmreload.current()["KEY"])

    response = call_wsgi(WSGIMiddleware(lambda environ, start: Body(), config))[1]
    assert next(response) == b"1"
    response.close()
    assert closed == ["first"]
    assert held(config) == 0


@pytest.mark.parametrize(
    ("path", "script"), [("/-/reload", ""), ("/reload", ""), ("/reload", "/-"), ("", "/-/reload")]
)
def test_the_wsgi_endpoint_reloads(config, configmap, path, script):
    endpoints = wsgi_endpoints(config)
    configmap.update(KEY="second")
    (started,), response = call_wsgi(endpoints, path, "POST", script)
    assert started[0] == "200 OK"
    assert b"".join(response) == b"Configuration reloaded\n"
    assert config["KEY"] == "second"

    (started,), response = call_wsgi(endpoints, path, "GET", script)
    assert started[0] == "405 Method Not Allowed"
    assert started[1]["Allow"] == "POST"

    configmap.update({"bad.json": "{"})
    (started,), response = call_wsgi(endpoints, path, "POST", script)
    assert started[0] == "500 Internal Server Error"
    assert b"bad.json:1:2: " in b"".join(response)


def test_the_wsgi_endpoint_knows_no_other_path(config):
    (started,), _ = call_wsgi(wsgi_endpoints(config), "/elsewhere", "POST")
    assert started[0] == "404 Not Found"


def test_the_wsgi_endpoint_gives_metrics(config):
    (started,), response = call_wsgi(wsgi_endpoints(config), "/metrics")
    assert started[0] == "200 OK"
    assert started[1]["Content-Type"].startswith("text/plain; version=0.0.4")
    assert b"config_version" in b"".join(response)


# ---- ASGI ----


async def call_asgi(app, path="/", method="GET", root="", kind="http"):
    """The messages that an application sends."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": kind, "method": method, "path": path, "root_path": root}
    if kind == "websocket":
        del scope["method"]
    await app(scope, receive, send)
    return sent


def test_an_asgi_request_keeps_its_version_until_the_last_byte_is_out(config, configmap):
    holders = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        for more in (True, True, False):
            body = cmreload.current()["KEY"].encode()
            await send({"type": "http.response.body", "body": body, "more_body": more})
            holders.append(held(config))
            configmap.update(KEY=f"after {len(holders)}", wait_for=config)
        assert cmreload.current()["KEY"] == "first"

    sent = asyncio.run(call_asgi(ASGIMiddleware(app, config)))
    assert [message.get("body") for message in sent] == [None, b"first", b"first", b"first"]
    assert sent[0]["headers"] == [(b"a", b"b"), (b"x-config-version", b"1")]
    assert holders == [1, 1, 0]
    assert config["KEY"] == "after 3"


def test_asgi_requests_at_once_each_have_their_version(config, configmap):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        before = cmreload.current()["KEY"]
        await turn.wait()
        assert cmreload.current()["KEY"] == before
        await send({"type": "http.response.body", "body": before.encode()})

    async def both():
        global turn
        turn = asyncio.Event()
        middleware = ASGIMiddleware(app, config)
        first = asyncio.ensure_future(call_asgi(middleware))
        await asyncio.sleep(0)
        configmap.update(KEY="second", wait_for=config)
        second = asyncio.ensure_future(call_asgi(middleware))
        await asyncio.sleep(0)
        assert held(config) == 2
        turn.set()
        return [(await each)[1]["body"] for each in (first, second)]

    assert asyncio.run(both()) == [b"first", b"second"]
    assert held(config) == 0


def test_an_asgi_application_that_fails_or_is_cancelled_lets_go(config):
    async def failing(scope, receive, send):
        raise RuntimeError("the application's own problem")

    async def waiting(scope, receive, send):
        await asyncio.Event().wait()

    async def both():
        with pytest.raises(RuntimeError):
            await call_asgi(ASGIMiddleware(failing, config))
        task = asyncio.ensure_future(call_asgi(ASGIMiddleware(waiting, config)))
        await asyncio.sleep(0)
        assert held(config) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(both())
    assert held(config) == 0


def test_a_websocket_that_is_refused_is_told_the_version_too(config):
    async def app(scope, receive, send):
        await send({"type": "websocket.http.response.start", "status": 403, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b""})

    sent = asyncio.run(call_asgi(ASGIMiddleware(app, config), kind="websocket"))
    assert sent[0]["headers"] == [(b"x-config-version", b"1")]
    assert held(config) == 0


def test_a_websocket_is_a_request_and_a_lifespan_is_none(config):
    async def app(scope, receive, send):
        if scope["type"] == "websocket":
            assert cmreload.current()["KEY"] == "first"
            await send({"type": "websocket.accept"})
        else:
            with pytest.raises(cmreload.StateError):
                cmreload.current()

    async def both():
        await call_asgi(ASGIMiddleware(app, config), kind="lifespan")
        return await call_asgi(ASGIMiddleware(app, config), kind="websocket")

    assert asyncio.run(both())[0]["headers"] == [(b"x-config-version", b"1")]
    assert held(config) == 0


def test_the_asgi_endpoint_reloads_and_gives_metrics(config, configmap):
    async def post(path, root="", method="POST"):
        sent = await call_asgi(asgi_endpoints(config), path, method, root)
        return sent[0]["status"], sent[1]["body"], dict(sent[0]["headers"])

    async def use():
        configmap.update(KEY="second")
        assert (await post("/-/reload"))[:2] == (200, b"Configuration reloaded\n")
        assert config["KEY"] == "second"
        assert (await post("/admin/reload", "/admin"))[0] == 200
        status, _, headers = await post("/reload", method="GET")
        assert (status, headers[b"allow"]) == (405, b"POST")
        configmap.update({"bad.json": "{"})
        status, body, _ = await post("/reload")
        assert status == 500
        assert b"bad.json" in body
        assert (await post("/elsewhere"))[0] == 404

    asyncio.run(use())


def test_the_asgi_endpoint_closes_a_websocket(config):
    sent = asyncio.run(call_asgi(asgi_endpoints(config), "/reload", kind="websocket"))
    assert sent == [{"type": "websocket.close"}]


def test_a_reload_does_not_wait_for_its_own_request(watch, configmap):
    config = watch(configmap.path, drain=3600)
    endpoints, asynchronous = wsgi_endpoints(config), asgi_endpoints(config)

    def app(environ, start_response):
        configmap.update(KEY="second")  # the request holds the version before by now
        return endpoints(environ, start_response)

    async def asgi_app(scope, receive, send):
        configmap.update(KEY="third")
        await asynchronous(scope, receive, send)

    (started,), response = call_wsgi(WSGIMiddleware(app, config), "/reload", "POST")
    assert started[0] == "200 OK"
    assert config["KEY"] == "second"
    response.close()
    sent = asyncio.run(call_asgi(ASGIMiddleware(asgi_app, config), "/reload", "POST"))
    assert sent[0]["status"] == 200
    assert config["KEY"] == "third"


def test_a_version_that_a_request_holds_is_waited_for(config, configmap):
    pin = config.pin()
    configmap.update(KEY="second", wait_for=config)
    with pytest.raises(cmreload.TimedOutError, match="still held"):
        config.drain(timeout=0)
    waiting = threading.Thread(target=config.drain)
    waiting.start()
    pin.release()
    waiting.join(PATIENCE_SECONDS)
    assert not waiting.is_alive()
    assert pin.snapshot["KEY"] == "first"
