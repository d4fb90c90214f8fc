"""A FastAPI service whose settings change while it runs.

    CONFIG_PATH=/etc/config uvicorn fastapi_app:app

A request is answered from one version of the configuration, whatever happens meanwhile; the
response says which, in X-Config-Version. POST /-/reload loads at once, GET /-/metrics observes.
"""

import asyncio
import logging
import os
from contextlib import asynccontextmanager

from fastapi import FastAPI
from pydantic import BaseModel, Field

import cmreload
from cmreload.web import ASGIMiddleware, asgi_endpoints

logger = logging.getLogger(__name__)


class Settings(BaseModel):
    """What the service reads; a version that does not fit is not published."""

    log_level: str = Field("info", pattern="^(debug|info|warning|error)$")
    max_connections: int = Field(100, ge=1)
    features: dict[str, bool] = Field(default_factory=dict, alias="features.json")


config = cmreload.Config(os.environ.get("CONFIG_PATH", "/etc/config"), name="fastapi")
settings = config.bind(Settings)


async def follow():
    """Applies what must be applied, in the loop."""
    async for event in config.changes("LOG_LEVEL"):
        logging.getLogger().setLevel(settings.current.log_level.upper())
        logger.info("log level is that of version %d", event.version)


@asynccontextmanager
async def lifespan(app):
    with config:
        logging.getLogger().setLevel(settings.current.log_level.upper())
        following = asyncio.create_task(follow())
        yield
        following.cancel()


app = FastAPI(lifespan=lifespan)
app.add_middleware(ASGIMiddleware, config=config)
app.mount("/-", asgi_endpoints(config))


@app.get("/health")
async def health():
    return {"status": "healthy" if config.healthy else "degraded", "version": config.version}


@app.get("/config")
async def show():
    return cmreload.current()


@app.get("/feature/{name}")
async def feature(name: str):
    return {"feature": name, "enabled": settings.current.features.get(name, False)}
