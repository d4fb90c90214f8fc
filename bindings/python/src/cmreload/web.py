"""One version for a whole request, in WSGI and ASGI, and endpoints to reload and to observe.

The middleware pins the version that is current when a request comes in: :func:`cmreload.current`
gives it until the last byte of the response is out, however it is streamed, and until then
:meth:`Config.drain` waits for it. Each response says which version it was, in ``X-Config-Version``.

The endpoints reach the process that happens to answer. Under a server that forks workers that is
one of them; all of them follow the mount by themselves, and where that is not enough each can be
asked by a signal: :meth:`Config.reload_on`.
"""

from __future__ import annotations

from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

from .config import metrics
from .errors import Error
from .request import pinned

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
    from contextvars import Context

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from .config import Config, Pin

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    ASGIApplication = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

VERSION_HEADER = "X-Config-Version"
RELOAD_PATHS = ("/-/reload", "/reload")
METRICS_PATH = "/metrics"
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"


class WSGIMiddleware:
    """``app.wsgi_app = WSGIMiddleware(app.wsgi_app, config)``"""

    def __init__(self, app: WSGIApplication, config: Config) -> None:
        self._app = app
        self._config = config

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        pin = self._config.pin()
        version = (VERSION_HEADER, str(pin.snapshot.version))

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            also = () if exc_info is None else (exc_info,)
            return start_response(status, [*headers, version], *also)

        # A context of its own, in which the response is streamed too: the server's thread may
        # answer other requests meanwhile, and keeps nothing of this one.
        context = copy_context()
        context.run(pinned.set, pin)
        try:
            return _Response(context.run(self._app, environ, start), context, pin)
        except BaseException:
            pin.release()
            raise


class _Response:
    """A response that lets go of its version when the server closes it."""

    def __init__(self, body: Iterable[bytes], context: Context, pin: Pin) -> None:
        self._body = body
        self._parts: Iterator[bytes] = context.run(iter, body)
        self._context = context
        self._pin = pin

    def __iter__(self) -> _Response:
        return self

    def __next__(self) -> bytes:
        return self._context.run(next, self._parts)

    def close(self) -> None:
        try:
            if hasattr(self._body, "close"):
                self._context.run(self._body.close)
        finally:
            self._pin.release()


_STARTS = ("http.response.start", "websocket.accept", "websocket.http.response.start")


class ASGIMiddleware:
    """``app.add_middleware(ASGIMiddleware, config=config)``; HTTP and WebSockets."""

    def __init__(self, app: ASGIApplication, config: Config) -> None:
        self._app = app
        self._config = config

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        pin = self._config.pin()
        version = (VERSION_HEADER.lower().encode(), str(pin.snapshot.version).encode())

        async def send_with_version(message: Message) -> None:
            if message["type"] in _STARTS:
                message = {**message, "headers": [*message.get("headers", ()), version]}
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                pin.release()

        token = pinned.set(pin)
        try:
            await self._app(scope, receive, send_with_version)
        finally:
            pinned.reset(token)
            pin.release()


def _answer(config: Config, method: str, paths: set[str]) -> tuple[int, str, str]:
    """What an endpoint answers, by its path below where it is mounted or from the root: status,
    content type and text."""
    if paths.intersection(RELOAD_PATHS):
        if method != "POST":
            return 405, TEXT_TYPE, "use POST\n"
        # A version that waits until nobody holds the one before must not wait for this request.
        pin = pinned.get(None)
        if pin is not None:
            pin.release()
        try:
            config.reload()
        except Error as problem:
            return 500, TEXT_TYPE, f"{problem}\n"
        return 200, TEXT_TYPE, "Configuration reloaded\n"
    if METRICS_PATH in paths:
        if method != "GET":
            return 405, TEXT_TYPE, "use GET\n"
        return 200, METRICS_TYPE, metrics()
    return 404, TEXT_TYPE, "not found\n"


def _headers(status: int, kind: str, body: bytes, text: str) -> list[tuple[str, str]]:
    headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
    if status == 405:
        headers.append(("Allow", text.split()[-1]))
    return headers


_REASONS = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 500: "Internal Server Error"}


def wsgi_endpoints(config: Config) -> WSGIApplication:
    """A WSGI application with ``POST /-/reload``, ``POST /reload`` and ``GET /metrics``.

    Within the middleware a request holds no version any more once it reloads.
    """

    def endpoints(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        paths = {path, environ.get("SCRIPT_NAME", "") + path}
        status, kind, text = _answer(config, environ["REQUEST_METHOD"], paths)
        body = text.encode()
        start_response(f"{status} {_REASONS[status]}", _headers(status, kind, body, text))
        return [body]

    return endpoints


def asgi_endpoints(config: Config) -> ASGIApplication:
    """An ASGI application with ``POST /-/reload``, ``POST /reload`` and ``GET /metrics``.

    A reload runs beside the loop, on its default executor. Within the middleware a request holds no
    version any more once it reloads.
    """

    async def endpoints(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        import asyncio

        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        root, path = scope.get("root_path", ""), scope["path"]
        below = path[len(root) :] if path.startswith(root) else path
        loop = asyncio.get_running_loop()
        answer = partial(copy_context().run, _answer, config, scope["method"], {path, below})
        status, kind, text = await loop.run_in_executor(None, answer)
        body = text.encode()
        headers = [
            (name.lower().encode(), value.encode())
            for name, value in _headers(status, kind, body, text)
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return endpoints
