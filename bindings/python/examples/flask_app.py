"""A Flask service whose settings change while it runs.

    CONFIG_PATH=/etc/config gunicorn --workers 2 flask_app:app

Each worker follows the mount by itself. A request is answered from one version of the
configuration, whatever happens meanwhile; the response says which, in X-Config-Version.
POST /-/reload loads at once and GET /-/metrics observes, in the worker that happens to answer;
SIGHUP to each worker loads in all of them.
"""

import logging
import os
import signal
from dataclasses import dataclass, field

from flask import Flask, jsonify
from werkzeug.middleware.dispatcher import DispatcherMiddleware

import cmreload
from cmreload.web import WSGIMiddleware, wsgi_endpoints

logger = logging.getLogger(__name__)


@dataclass
class Settings:
    """What the service reads; a version that does not fit is not published."""

    log_level: str = "info"
    max_connections: int = 100
    features: dict[str, bool] = field(default_factory=dict)  # of the key features.json


config = cmreload.Config(os.environ.get("CONFIG_PATH", "/etc/config"), name="flask")
settings = config.bind(Settings)


@config.on_change("LOG_LEVEL")
def apply_log_level(event):
    logging.getLogger().setLevel(event.snapshot.get("LOG_LEVEL", "info").upper())
    logger.info("log level is that of version %d", event.version)


config.start()
config.reload_on(signal.SIGHUP)
app = Flask(__name__)


@app.route("/health")
def health():
    return jsonify(status="healthy" if config.healthy else "degraded", version=config.version)


@app.route("/config")
def show():
    return jsonify(cmreload.current())


@app.route("/feature/<name>")
def feature(name):
    return jsonify(feature=name, enabled=settings.current.features.get(name, False))


app.wsgi_app = DispatcherMiddleware(
    WSGIMiddleware(app.wsgi_app, config), {"/-": wsgi_endpoints(config)}
)

if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ.get("PORT", "8080")))
