"""The example services under the servers that people run them with: gunicorn with workers that it
forks, before and after the application is loaded, and uvicorn."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cmreload.testing import ConfigMap

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
PATIENCE_SECONDS = 60
WORKERS = 2


@pytest.fixture
def mounted():
    content = {
        "LOG_LEVEL": "info",
        "MAX_CONNECTIONS": "100",
        "features.json": {"dark_mode": True},
    }
    with ConfigMap(content) as mounted:
        yield mounted


class Service:
    """A server that listens on a port of its own, and what it logs."""

    def __init__(self, mounted, *words):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, "-m", *(word.format(port=self.port) for word in words)],
            cwd=EXAMPLES,
            env={**os.environ, "CONFIG_PATH": mounted.path},
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.get("/health")[0] == 200:
                    return self
            except OSError:
                os.sched_yield()
        self.process.kill()
        raise AssertionError(f"the service does not listen:\n{self.process.communicate()[1]}")

    def __exit__(self, *_):
        self.process.terminate()
        _, log = self.process.communicate(timeout=PATIENCE_SECONDS)
        assert "Traceback" not in log, log
        assert self.process.returncode in (0, -signal.SIGTERM), log

    def request(self, method, path):
        """Status, body and version of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers.get("X-Config-Version")
        finally:
            connection.close()

    def get(self, path):
        status, body, version = self.request("GET", path)
        return status, json.loads(body), version

    def wait_until(self, holds, times=20):
        """Until as many answers in a row say so: each worker has likely been asked."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        in_a_row = 0
        while in_a_row < times:
            assert time.monotonic() < deadline, self.get("/config")
            in_a_row = in_a_row + 1 if holds(self) else 0

    def workers(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return [int(word) for word in Path(path).read_text().split()]

    def all_have_started(self):
        """Whether each worker has come as far as its handler of SIGHUP."""
        workers = self.workers()
        return len(workers) == WORKERS and all(map(handles_hangup, workers))


def gunicorn(*options):
    return ("gunicorn", "--workers", str(WORKERS), "--bind", "127.0.0.1:{port}",
            *options, "flask_app:app")  # fmt: skip


SERVERS = {
    "gunicorn": gunicorn(),
    "gunicorn-preload": gunicorn("--preload"),
    "gunicorn-threads": gunicorn("--threads", "4"),
    "uvicorn": ("uvicorn", "--port", "{port}", "--log-level", "warning", "fastapi_app:app"),
}


@pytest.mark.parametrize("server", SERVERS)
def test_a_service_follows_its_configmap(server, mounted):
    with Service(mounted, *SERVERS[server]) as service:
        # A worker that starts later would begin with version 1 of what is there then.
        if server in ("gunicorn", "gunicorn-threads"):
            service.wait_until(Service.all_have_started, times=1)
        status, body, version = service.get("/config")
        assert (status, version) == (200, "1")
        assert body["LOG_LEVEL"] == "info"
        assert service.get("/feature/dark_mode")[1] == {"feature": "dark_mode", "enabled": True}
        assert service.get("/feature/other")[1]["enabled"] is False

        mounted.update({"LOG_LEVEL": "debug", "features.json": {"dark_mode": False}})
        service.wait_until(lambda service: service.get("/config")[1]["LOG_LEVEL"] == "debug")
        assert service.get("/config")[2] == "2"
        assert service.get("/feature/dark_mode")[1]["enabled"] is False

        # What does not fit the settings is not published, and health says so.
        mounted.update(MAX_CONNECTIONS="many")
        service.wait_until(lambda service: service.get("/health")[1]["status"] == "degraded")
        assert service.get("/config")[1]["MAX_CONNECTIONS"] == "100"
        status, body, _ = service.request("POST", "/-/reload")
        assert status == 500
        assert b"MAX_CONNECTIONS" in body
        assert b"many" not in body

        mounted.update(MAX_CONNECTIONS="7")
        service.wait_until(lambda service: service.get("/config")[1]["MAX_CONNECTIONS"] == "7")
        assert service.request("POST", "/-/reload")[:2] == (200, b"Configuration reloaded\n")
        assert service.request("GET", "/-/reload")[0] == 405
        assert b"config_version" in service.request("GET", "/-/metrics")[1]
        assert service.get("/health")[1]["status"] == "healthy"


def handles_hangup(process):
    """Whether a worker has the application's handler for SIGHUP by now. Before it has loaded the
    application, and the library with it, what it may have is gunicorn's, of the process that it was
    forked from."""
    if "libcmreload" not in Path(f"/proc/{process}/maps").read_text():
        return False
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"^SigCgt:\s*(\w+)", status, re.M)[1], 16) >> (signal.SIGHUP - 1) & 1


def test_a_signal_to_each_worker_reloads_in_all_of_them(mounted):
    def reloads(text):
        return sum(map(float, re.findall(r'reload_total\{[^}]*"unchanged"[^}]*\} (\d+)', text)))

    with Service(mounted, *SERVERS["gunicorn"]) as service:
        service.wait_until(Service.all_have_started, times=1)
        workers = service.workers()
        for worker in workers:
            os.kill(worker, signal.SIGHUP)
        service.wait_until(
            lambda service: reloads(service.request("GET", "/-/metrics")[1].decode()) >= 1
        )
        assert service.workers() == workers
