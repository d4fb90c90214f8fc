"""Validators, bound settings, rollback, confirmation, history and drain."""

import dataclasses
import enum
import errno
import json
import pickle
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, Optional, Union
from uuid import UUID
from zoneinfo import ZoneInfo

import pydantic
import pytest

import cmreload

PATIENCE_SECONDS = 30


@pytest.fixture
def config(watch, configmap):
    configmap.update(PORT="80", LEVEL="info", **{"app.json": {"limits": [1, 2], "debug": False}})
    return watch(configmap.path)


# ---- validators ----


def test_a_validator_vetoes_a_version_before_anybody_sees_it(config, configmap, heard):
    config.on_event(heard)

    @config.validator
    def ports(candidate):
        assert isinstance(candidate, cmreload.Snapshot)
        if candidate.int("PORT") < 1024 and candidate["LEVEL"] != "info":
            raise ValueError("only info may use a low port")

    with pytest.raises(cmreload.RejectedError, match="only info may use a low port") as raised:
        configmap.update(LEVEL="debug", wait_for=config)
    assert isinstance(raised.value.__cause__, ValueError)
    assert config["LEVEL"] == "info"
    assert config.version == 1
    (event,) = heard.wait(1)
    assert event.kind == "rejected"
    assert isinstance(event.error, cmreload.RejectedError)
    assert event.error.message == "only info may use a low port"
    configmap.update(PORT="8080", wait_for=config)
    assert (config["LEVEL"], config.version) == ("debug", 2)
    assert config.healthy


def test_what_would_not_run_is_refused(config):
    async def apply(*_):
        pass

    for register in (
        config.validator,
        config.validator("PORT"),
        config.on_change(),
        config.on_event,
        config.on_drained,
    ):
        with pytest.raises(TypeError, match="async"):
            register(apply)


def test_a_configuration_that_was_closed_is_not_entered_again(config):
    config.close()
    with pytest.raises(cmreload.StateError), config:
        pass


def test_a_validator_of_a_key_is_given_its_value(config, configmap):
    seen = []

    @config.validator("app.json#/limits", "absent")
    def limits(value):
        seen.append(value)
        if sum(value) > 10:
            raise ValueError("too much")

    with pytest.raises(cmreload.RejectedError) as raised:
        configmap.update({"app.json": {"limits": [9, 9]}}, wait_for=config)
    assert (raised.value.key, raised.value.message) == ("app.json#/limits", "too much")
    assert seen[0] == [1, 2]
    assert seen[-1] == [9, 9]


def test_the_current_version_is_checked_at_once(config, configmap):
    with pytest.raises(cmreload.RejectedError, match="never"):

        @config.validator
        def refuse(candidate):
            raise ValueError("never")

    configmap.update(LEVEL="debug", wait_for=config)
    assert config["LEVEL"] == "debug"


def test_a_validator_may_fail_a_start(configmap):
    configmap.update(PORT="80")
    config = cmreload.Config(configmap.path)

    @config.validator("PORT")
    def never(value):
        raise ValueError("no such port")

    with pytest.raises(cmreload.RejectedError, match="no such port"):
        config.start()
    assert config.version == 0
    config.close()


def test_several_validators_all_count(config, configmap):
    @config.validator("PORT")
    def port(value):
        if value == "0":
            raise ValueError("no port")

    @config.validator("LEVEL")
    def level(value):
        if value not in ("info", "debug"):
            raise ValueError("no level")

    with pytest.raises(cmreload.RejectedError, match="LEVEL: no level"):
        configmap.update(LEVEL="loud", wait_for=config)
    with pytest.raises(cmreload.RejectedError, match="PORT: no port"):
        configmap.update(LEVEL="debug", PORT="0", wait_for=config)
    configmap.update(PORT="81", wait_for=config)
    assert (config["LEVEL"], config["PORT"]) == ("debug", "81")


def test_the_snapshot_that_was_validated_is_the_one_that_is_published(config, configmap):
    candidates = []
    config.validator(candidates.append)
    configmap.update(LEVEL="debug", wait_for=config)
    assert candidates[-1] is config.snapshot
    assert config.snapshot.version == 2
    assert config.snapshot.published_ns > 0
    assert config.stats.held_snapshots == 0


# ---- settings of a dataclass ----


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass(frozen=True)
class Limits:
    requests: int
    burst: float = 1.5


@dataclasses.dataclass(frozen=True)
class Settings:
    log_level: Literal["info", "debug"]
    port: int
    timeout: timedelta = timedelta(seconds=1)
    debug: bool = False
    colour: Colour = Colour.RED
    limits: Optional[Limits] = None
    tags: list[str] = dataclasses.field(default_factory=list)
    weights: dict[str, float] = dataclasses.field(default_factory=dict)
    ratio: Decimal = Decimal(1)
    folder: Path = Path("/")
    secret: bytes = b""
    anything: Any = None
    named: str = dataclasses.field(default="", metadata={"key": "some-other.key"})


CONTENT = {
    "LOG_LEVEL": "info\n",
    "port": "80",
    "TIMEOUT": "1m30s",
    "debug": "yes",
    "COLOUR": "blue",
    "limits.json": {"requests": "7"},
    "tags.json": ["a", "b"],
    "weights.json": {"x": 1, "y": "0.5"},
    "ratio": "1.10",
    "folder": "/etc",
    "secret": b"\xff",
    "anything.json": [None],
    "some-other.key": "named",
    "UNRELATED": "ignored",
}


@pytest.fixture
def bound(watch, configmap):
    configmap.update(CONTENT)
    config = watch(configmap.path)
    return config, config.bind(Settings)


def test_a_dataclass_is_built_from_the_keys(bound):
    assert bound[1].current == Settings(
        log_level="info",
        port=80,
        timeout=timedelta(seconds=90),
        debug=True,
        colour=Colour.BLUE,
        limits=Limits(requests=7, burst=1.5),
        tags=["a", "b"],
        weights={"x": 1.0, "y": 0.5},
        ratio=Decimal("1.10"),
        folder=Path("/etc"),
        secret=b"\xff",
        anything=[None],
        named="named",
    )


Port = NewType("Port", int)


@pytest.mark.parametrize(
    ("hint", "key", "content", "value"),
    [
        (bytes, "x", "text\n", b"text\n"),
        (Optional[bytes], "x", "text\n", b"text\n"),
        (bytes, "x.json", "7", b"7"),
        (list[bytes], "x.json", ["text"], [b"text"]),
        (Decimal, "x.json", 0.1, Decimal("0.1")),
        (datetime, "x", "2026-11-26T16:00:00", datetime(2026, 11, 26, 16)),
        (Port, "x", "80", 80),
        (tuple[str, int], "x.json", ["a", "3"], ("a", 3)),
        (tuple[int, ...], "x.json", ["1", 3], (1, 3)),
        (Sequence[int], "x.json", ["1", 3], [1, 3]),
        (Mapping[str, int], "x.json", {"a": "1"}, {"a": 1}),
        (dict[int, bool], "x.json", {"1": "yes"}, {1: True}),
    ],
)
def test_a_field_is_what_its_hint_says(watch, hint, key, content, value):
    settings = dataclasses.make_dataclass("Settings", [("x", hint)])
    assert watch(defaults={key: content}).bind(settings).current.x == value


@pytest.mark.parametrize(
    ("hint", "content", "key", "message"),
    [
        (Sequence[str], "hunter2", "x.json", "is not an array"),
        (tuple[str, int], ["hunter2"], "x.json", "is no array of 2"),
        (list[bytes], [7], "x.json#/0", "is not text"),
        (dict[int, int], {"a": 1}, "x.json#/a", "is not an integer"),
    ],
)
def test_a_field_is_nothing_else(watch, hint, content, key, message):
    settings = dataclasses.make_dataclass("Settings", [("x", hint)])
    with pytest.raises(cmreload.RejectedError) as raised:
        watch(defaults={"x.json": json.dumps(content)}).bind(settings)
    assert (raised.value.key, raised.value.message) == (key, message)


def test_settings_bound_in_a_handler_are_there_at_once(configmap):
    configmap.update(CONTENT)
    config = cmreload.Config(configmap.path)
    bound = []
    config.on_change()(lambda event: bound.append(config.bind(Settings)))
    with config:
        assert bound[0].current.port == 80


def test_a_version_is_shown_even_if_settings_that_came_later_cannot_be_built(watch, configmap):
    @dataclasses.dataclass
    class Later:
        port: int

        def __post_init__(self):
            if self.port == 80:
                raise ValueError("no such port")

    configmap.update(port="80")
    config = watch(configmap.path)
    configmap.update(port="81", wait_for=config)
    settings = config.bind(Later)
    assert config.rollback() == config.version == 3
    assert config["port"] == "80"
    assert settings.current.port == 81


def test_settings_follow_each_version(bound, configmap):
    config, settings = bound
    before = settings.current
    seen = []
    config.on_change()(lambda event: seen.append(settings.current.port))
    configmap.update(port="81", wait_for=config)
    assert settings.current.port == 81
    assert seen == [81]
    assert before.port == 80
    configmap.delete("debug", wait_for=config)
    assert settings.current.debug is False


@pytest.mark.parametrize(
    ("change", "key", "message"),
    [
        ({"port": "hunter2"}, "port", "is not an integer"),
        ({"LOG_LEVEL": "hunter2"}, "LOG_LEVEL", "is not one of info, debug"),
        ({"COLOUR": "hunter2"}, "COLOUR", "is not one of red, blue"),
        ({"limits.json": {"requests": "hunter2"}}, "limits.json#/requests", "is not an integer"),
        ({"limits.json": {}}, "limits.json#/REQUESTS", "is missing"),
        ({"limits.json": 3}, "limits.json", "is not an object"),
        ({"tags.json": ["a", 3]}, "tags.json#/1", "is not text"),
        ({"weights.json": {"x": "hunter2"}}, "weights.json#/x", "is not a number"),
        ({"ratio": "hunter2"}, "ratio", "is no Decimal"),
        ({"debug": "hunter2"}, "debug", "is not a truth value"),
    ],
)
def test_a_version_that_does_not_fit_is_rejected_by_key(bound, configmap, change, key, message):
    config, settings = bound
    with pytest.raises(cmreload.RejectedError) as raised:
        configmap.update(change, wait_for=config)
    assert (raised.value.key, raised.value.message) == (key, message)
    assert config.version == 1
    assert settings.current.port == 80
    problem = raised.value
    while problem is not None:
        assert "hunter2" not in f"{problem!r}{problem}"
        problem = problem.__cause__ or problem.__context__


def test_settings_that_do_not_fit_fail_the_start(configmap):
    config = cmreload.Config(configmap.path)
    config.bind(Settings)
    with pytest.raises(cmreload.RejectedError, match="LOG_LEVEL: is missing"):
        config.start()
    configmap.update(CONTENT)
    with config:
        assert config["port"] == "80"


def test_settings_that_do_not_fit_the_current_version_are_not_bound(watch, configmap):
    config = watch(configmap.path)
    with pytest.raises(cmreload.RejectedError):
        config.bind(Settings)
    configmap.update(A="1", wait_for=config)
    assert config["A"] == "1"


def test_settings_are_of_the_version_that_readers_see(bound, configmap):
    config, settings = bound
    ended = threading.Event()
    problems = []

    def read():
        while not ended.is_set():
            snapshot = config.snapshot
            port = settings.current.port
            if not snapshot.int("port") - 1 <= port <= config.int("port") + 1:
                problems.append((snapshot, port))

    reader = threading.Thread(target=read)
    reader.start()
    for port in range(81, 101):
        configmap.update(port=str(port), wait_for=config)
        assert settings.current.port == port
    ended.set()
    reader.join()
    assert not problems


def test_what_is_neither_a_dataclass_nor_a_model_is_refused(config):
    for other in (dict, Limits(requests=1), Features(dark_mode=True), "Settings"):
        with pytest.raises(cmreload.InvalidArgumentError, match="neither"):
            config.bind(other)


# ---- settings of a pydantic model ----


class Features(pydantic.BaseModel):
    dark_mode: bool
    rollout: int = pydantic.Field(0, ge=0, le=100)


class Model(pydantic.BaseModel):
    log_level: Literal["info", "debug"] = "info"
    max_connections: pydantic.PositiveInt = 100
    timeout: timedelta = timedelta(seconds=1)
    features: Features = pydantic.Field(alias="features.json")
    api_key: pydantic.SecretStr = pydantic.Field(
        pydantic.SecretStr(""), validation_alias=pydantic.AliasChoices("API_KEY", "key")
    )


@dataclasses.dataclass
class Mixed:
    features: Features
    named: dict[str, Features] = dataclasses.field(default_factory=dict)


def test_a_model_may_lie_in_a_dataclass(watch):
    features = {"dark_mode": True, "rollout": 77123}
    content = {"features.json": {"dark_mode": True}}
    assert watch(defaults=content).bind(Mixed).current == Mixed(Features(dark_mode=True))
    for more, key in (
        ({"features.json": features}, "features.json#/rollout"),
        ({"named.json": {"a": features}}, "named.json#/a/rollout"),
    ):
        with pytest.raises(cmreload.RejectedError, match="less than") as raised:
            watch(defaults={**content, **more}).bind(Mixed)
        assert raised.value.key == key
        assert "77123" not in str(raised.value)


@pytest.fixture
def modelled(watch, configmap):
    configmap.update(
        LOG_LEVEL="debug", MAX_CONNECTIONS="7", TIMEOUT="1h30m", key="k",
        **{"features.json": {"dark_mode": True}},
    )  # fmt: skip
    config = watch(configmap.path)
    return config, config.bind(Model)


def test_a_model_is_built_from_the_keys(modelled):
    current = modelled[1].current
    assert isinstance(current, Model)
    assert (current.log_level, current.max_connections) == ("debug", 7)
    assert current.timeout == timedelta(hours=1, minutes=30)
    assert current.features == Features(dark_mode=True, rollout=0)
    assert current.api_key.get_secret_value() == "k"


@pytest.mark.parametrize(
    ("change", "key", "message"),
    [
        ({"MAX_CONNECTIONS": "-77123"}, "MAX_CONNECTIONS", "greater than 0"),
        ({"LOG_LEVEL": "77123"}, "LOG_LEVEL", "'info' or 'debug'"),
        ({"features.json": {"dark_mode": True, "rollout": 77123}}, "features.json#/rollout",
         "less than or equal to 100"),
        ({"features.json": {}}, "features.json#/dark_mode", "required"),
        ({"TIMEOUT": "77123 years"}, "TIMEOUT", "timedelta"),
    ],
)  # fmt: skip
def test_a_model_s_refusal_says_why_without_its_input(modelled, configmap, change, key, message):
    config, settings = modelled
    with pytest.raises(cmreload.RejectedError, match=message) as raised:
        configmap.update(change, wait_for=config)
    assert raised.value.key == key
    problem = raised.value
    while problem is not None:
        assert "77123" not in f"{problem!r}{problem}"
        problem = problem.__cause__ or problem.__context__
    assert settings.current.max_connections == 7


class Card(pydantic.BaseModel):
    kind: Literal["card"]


class Cash(pydantic.BaseModel):
    kind: Literal["cash"]


class Payment(pydantic.BaseModel):
    how: Union[Card, Cash] = pydantic.Field(discriminator="kind")


class Plugin(pydantic.BaseModel):
    plugin: pydantic.ImportString


class Quoted(pydantic.BaseModel):
    zone: Optional[ZoneInfo] = None
    size: pydantic.ByteSize = 0
    id: Optional[UUID] = None


@pytest.mark.parametrize(
    ("model", "content", "message"),
    [
        (Payment, {"how.json": {"kind": "hunter2"}}, "'card', 'cash'"),
        (Payment, {"how.json": {"kind": ""}}, "Input tag '…' found using 'kind' does not match"),
        (Plugin, {"plugin": "hunter2.x"}, "python path"),
        (Quoted, {"zone": "hunter2"}, "timezone"),
        (Quoted, {"size": "7hunter2"}, "byte unit"),
        (Quoted, {"id": "hunter2"}, "valid UUID$"),
    ],
)
def test_what_pydantic_quotes_in_its_message_is_not_told(watch, model, content, message):
    with pytest.raises(cmreload.RejectedError, match=message) as raised:
        watch(defaults=content).bind(model)
    assert "hunter2" not in str(raised.value)


@pydantic.dataclasses.dataclass
class Ranged:
    port: int = pydantic.Field(1, le=100)
    ratio: float = 0


@dataclasses.dataclass
class Holder:
    inner: Optional[Ranged] = None


@pytest.mark.parametrize(
    ("settings", "content", "key"),
    [
        (Ranged, {"PORT": "77123"}, "PORT"),
        (Holder, {"inner.json": {"port": 77123}}, "inner.json#/port"),
    ],
)
def test_a_dataclass_of_pydantic_s_refuses_without_its_input(
    watch, configmap, caplog, settings, content, key
):
    configmap.update(content, OTHER="1")
    config = watch(configmap.path)
    with pytest.raises(cmreload.RejectedError, match="less than or equal") as raised:
        config.bind(settings)
    assert raised.value.key == key
    configmap.delete(*content, wait_for=config)
    config.bind(settings)
    config.rollback()  # which is not validated again
    assert "cannot be built" in caplog.text
    assert "77123" not in caplog.text


class Retry(pydantic.BaseModel):
    wait: timedelta = pydantic.Field(timedelta(0), alias="pause")
    limits: dict[str, Optional[timedelta]] = {}
    steps: tuple[str, timedelta] = ("", timedelta(0))
    rest: tuple[timedelta, ...] = ()
    name: str = ""


class Aliased(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(populate_by_name=True, extra="forbid")
    log_level: str = pydantic.Field("", alias="logLevel")
    port: int = pydantic.Field(0, validation_alias="PORT", alias="UNUSED")
    times: list[timedelta] = []
    timeout: Optional[timedelta] = None
    retry: Optional[Retry] = None
    retries: list[Retry] = []
    pauses: list[Annotated[timedelta, pydantic.Field(ge=timedelta(0))]] = []
    pause: Optional[Annotated[timedelta, pydantic.Field(ge=timedelta(0))]] = None
    waits: Optional["Waits"] = None
    secret: Optional[bytes] = None
    inner: bytes = pydantic.Field(b"", validation_alias=pydantic.AliasPath("inner.json", "x"))


@dataclasses.dataclass
class Waits:
    first: timedelta


@dataclasses.dataclass
class Retrying:
    retry: Retry


@pytest.mark.parametrize(
    ("content", "name", "value"),
    [
        ({"LOG_LEVEL": "debug"}, "log_level", "debug"),
        ({"logLevel": "debug"}, "log_level", "debug"),
        ({"PORT": "1", "UNUSED": "2"}, "port", 1),
        ({"times.json": ["PT1H"]}, "times", [timedelta(hours=1)]),
        ({"TIMEOUT": "PT1H"}, "timeout", timedelta(hours=1)),
        ({"TIMEOUT": "1h"}, "timeout", timedelta(hours=1)),
        ({"times.json": ["1h", 60]}, "times", [timedelta(hours=1), timedelta(minutes=1)]),
        ({"retries.json": [{"pause": "1h"}]}, "retries", [Retry(pause=timedelta(hours=1))]),
        ({"pauses.json": ["1h"]}, "pauses", [timedelta(hours=1)]),
        ({"pause": "1h"}, "pause", timedelta(hours=1)),
        ({"waits.json": {"first": "1h"}}, "waits", Waits(timedelta(hours=1))),
        ({"secret": " text\n"}, "secret", b" text\n"),
        ({"inner.json": {"x": "text"}}, "inner", b"text"),
    ],
)
def test_names_and_durations_are_read_as_pydantic_has_them(watch, content, name, value):
    assert getattr(watch(defaults=content).bind(Aliased).current, name) == value


@pytest.mark.parametrize("settings", [Aliased, Retrying])
def test_durations_are_read_wherever_a_model_has_them(watch, settings):
    content = {
        "pause": "1h",
        "limits": {"a": "2h", "b": None},
        "steps": ["3h", "4h"],
        "rest": ["5h", "6h"],
        "name": "7h",
    }
    assert watch(defaults={"retry.json": content}).bind(settings).current.retry == Retry(
        pause=timedelta(hours=1),
        limits={"a": timedelta(hours=2), "b": None},
        steps=("3h", timedelta(hours=4)),
        rest=(timedelta(hours=5), timedelta(hours=6)),
        name="7h",
    )


class Waiting(pydantic.BaseModel):
    kind: Literal["waiting"]
    time: timedelta


class Noting(pydantic.BaseModel):
    kind: Literal["noting"]
    time: str


class Either(pydantic.BaseModel):
    step: Union[Waiting, Noting] = pydantic.Field(discriminator="kind")


def test_of_several_models_the_one_that_is_meant_reads_the_value(watch):
    content = {"step.json": {"kind": "noting", "time": "1h"}}
    assert watch(defaults=content).bind(Either).current.step.time == "1h"


def test_a_tuple_that_is_too_long_is_refused_by_the_model(watch):
    content = {"retry.json": {"steps": ["3h", "4h", "5h"]}}
    with pytest.raises(cmreload.RejectedError, match="steps"):
        watch(defaults=content).bind(Aliased)


# ---- rollback, confirmation, history, drain ----


def test_a_rollback_publishes_the_content_of_an_older_version(config, configmap, heard):
    config.on_change()(heard)
    configmap.update(LEVEL="debug", wait_for=config)
    version = config.rollback()
    assert version == config.version == 3
    assert config["LEVEL"] == "info"
    event = heard.wait(2)[1]
    assert (event.cause, event.changes) == ("rollback", {"LEVEL": "modified"})
    config.reload()
    assert config["LEVEL"] == "info"  # what was left is not taken again
    configmap.update(LEVEL="warning", wait_for=config)
    assert config["LEVEL"] == "warning"
    config.rollback(2)
    assert config["LEVEL"] == "debug"
    with pytest.raises(KeyError):
        config.rollback(77)


def test_bound_settings_follow_a_rollback(bound, configmap):
    config, settings = bound
    configmap.update(port="81", wait_for=config)
    config.rollback()
    assert settings.current.port == 80


def test_history_has_the_versions_that_are_kept(watch, configmap):
    configmap.update(A="1")
    config = watch(configmap.path, history=3)
    for turn in "2345":
        configmap.update(A=turn, wait_for=config)
    assert [(each.version, each["A"]) for each in config.history][:3] == [
        (5, "5"), (4, "4"), (3, "3"),
    ]  # fmt: skip
    assert config.history[0] == config.snapshot
    assert config.stats.held_snapshots == 0


def test_what_nobody_confirms_is_taken_back(watch, configmap, heard):
    configmap.update(A="1")
    config = watch(configmap.path, confirm=1)
    config.on_change()(heard)
    configmap.update(A="2")
    first, second = heard.wait(2)
    assert (first.snapshot["A"], first.cause) == ("2", "change")
    assert (second.snapshot["A"], second.cause) == ("1", "rollback")


def test_what_is_confirmed_stays(watch, configmap):
    configmap.update(A="1")
    config = watch(configmap.path, confirm=timedelta(minutes=10))
    configmap.update(A="2", wait_for=config)
    config.confirm()
    with pytest.raises(KeyError):
        config.confirm(77)
    assert config["A"] == "2"


def test_publishing_waits_for_who_holds_the_version_before(watch, configmap, heard):
    configmap.update(A="1")
    config = watch(configmap.path, drain=PATIENCE_SECONDS * 6)
    config.on_change()(heard)
    kept = config.snapshot  # merely kept: nobody waits for it
    with config.pin() as snapshot:
        configmap.update(A="2")
        with pytest.raises(TimeoutError):
            config.wait(1, timeout=0.05)
        assert snapshot["A"] == config["A"] == "1"
    (event,) = heard.wait(1)
    assert event.snapshot["A"] == config["A"] == "2"
    assert kept["A"] == "1"


def test_drain_waits_for_pins(config, configmap):
    pins = [config.pin(), config.pin()]
    configmap.update(LEVEL="debug", wait_for=config)
    with pytest.raises(cmreload.TimedOutError, match="still held"):
        config.drain(timeout=0)
    pins.pop().release()
    pins.pop().release()
    config.drain(timeout=PATIENCE_SECONDS)
    held = config.pin()
    config.drain(timeout=0)  # who holds the current version is not waited for
    held.release()
    held.release()
    assert config.stats.held_snapshots == 0


def test_a_signal_is_heard_while_drain_waits(config, configmap):
    held = config.pin()
    configmap.update(LEVEL="debug", wait_for=config)
    sending = threading.Timer(0.1, signal.raise_signal, [signal.SIGINT])
    sending.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        config.drain(timeout=PATIENCE_SECONDS)
    assert time.monotonic() - began < PATIENCE_SECONDS / 2
    held.release()


def test_a_handler_hears_when_nobody_holds_a_version_any_more(config, configmap):
    drained = []
    told = threading.Event()

    @config.on_drained
    def note(event):
        drained.append((event.kind, event.version))
        if event.version == 1:
            told.set()

    with config.pin():
        configmap.update(LEVEL="debug", wait_for=config)
        assert ("drained", 1) not in drained
    assert told.wait(PATIENCE_SECONDS)
    assert ("drained", 1) in drained


# ---- schemas, formats, parsers ----

SCHEMA = {
    "type": "object",
    "required": ["PORT"],
    "properties": {
        "PORT": {"type": "integer", "minimum": 1},
        "app.json": {"$ref": "https://example.test/app"},
    },
}
APP = {"properties": {"limits": {"items": {"maximum": 100}}}}


@pytest.fixture(params=["dict", "text", "path"])
def schema(request, tmp_path):
    if request.param == "dict":
        return SCHEMA
    if request.param == "text":
        return json.dumps(SCHEMA)
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))
    return tmp_path / "schema.json"


def test_a_schema_rejects_with_what_it_found(watch, configmap, heard, schema):
    configmap.update(PORT="80", **{"app.json": {"limits": [1]}})
    config = watch(configmap.path, schema=schema, definitions={"https://example.test/app": APP})
    config.on_event(heard)
    with pytest.raises(cmreload.RejectedError) as raised:
        configmap.update(PORT="77123 no", **{"app.json": {"limits": [1, 77123]}}, wait_for=config)
    found = {violation.keyword: violation for violation in raised.value.violations}
    assert found.keys() == {"type", "maximum"}
    assert (found["type"].key, found["maximum"].key) == ("PORT", "app.json")
    assert found["maximum"].instance_path == "/limits/1"
    assert (found["maximum"].line, found["maximum"].column) == (1, 16)
    assert "77123" not in repr(raised.value.violations) + str(raised.value)
    (event,) = heard.wait(1)
    assert event.error.violations == raised.value.violations == config.violations
    assert config["PORT"] == "80"
    configmap.update(PORT="81", **{"app.json": {"limits": []}}, wait_for=config)
    assert config.violations == ()


def test_a_schema_of_one_key(watch, configmap):
    configmap.update({"app.json": {"limits": [1]}})
    config = watch(configmap.path, schemas={"app.json": APP})
    with pytest.raises(cmreload.RejectedError):
        configmap.update({"app.json": {"limits": [101]}}, wait_for=config)


def test_a_schema_may_fail_a_start(configmap):
    with pytest.raises(cmreload.RejectedError) as raised:
        cmreload.watch(configmap.path, schema=SCHEMA, definitions={"https://example.test/app": APP})
    assert [violation.keyword for violation in raised.value.violations] == ["required"]


def test_a_schema_that_is_none_is_refused(configmap):
    with pytest.raises(cmreload.Error):
        cmreload.Config(configmap.path, schema={"type": "nonsense"})
    with pytest.raises(cmreload.ParseError, match=r"^1:2: the schema is not JSON"):
        cmreload.Config(configmap.path, schema="{nonsense}")
    with pytest.raises(cmreload.SourceError, match=r"absent\.json: the schema") as raised:
        cmreload.Config(configmap.path, schema="absent.json")
    assert raised.value.errno == errno.ENOENT


def test_a_format_can_be_given_by_pattern(watch):
    config = watch(defaults={"a.conf": "[x]\ny = 1\n"}, formats={"*.conf": "ini"})
    assert config.int("a.conf#/x/y") == 1
    with pytest.raises(ValueError, match="format"):
        cmreload.Config(formats={"*": "nonsense"})


def test_a_parser_of_one_s_own(watch, configmap):
    def parse(key, content):
        if not content:
            raise cmreload.ParseError("there is no field", line=1, column=1)
        return {"key": key, "fields": [int(field) for field in content.split(b",")]}

    configmap.update({"a.csv": "1,2"})
    config = watch(configmap.path, parsers={"*.csv": parse})
    assert config["a.csv"] == {"key": "a.csv", "fields": [1, 2]}
    with pytest.raises(cmreload.ParseError, match="raised ValueError") as raised:
        configmap.update({"a.csv": "1,hunter2"}, wait_for=config)
    assert raised.value.key == "a.csv"
    assert "hunter2" not in str(raised.value)
    with pytest.raises(cmreload.ParseError, match="there is no field") as raised:
        configmap.update({"a.csv": ""}, wait_for=config)
    assert (raised.value.line, raised.value.column) == (1, 1)
    assert config["a.csv"]["fields"] == [1, 2]


# ---- sources and options ----


def test_later_sources_win_and_defaults_lie_under_all(watch, configmap, tmp_path, monkeypatch):
    configmap.update(A="mount", B="mount", C="mount")
    (tmp_path / "B").write_text("file")
    monkeypatch.setenv("APP_C", "environment")
    monkeypatch.setenv("APP_D", "environment")
    config = watch(
        configmap.path,
        tmp_path / "B",
        cmreload.Environment("APP_"),
        cmreload.Mount(tmp_path / "absent", optional=True),
        cmreload.File(tmp_path / "absent.json", optional=True),
        defaults={"A": "default", "E": "default", "f.json": {"x": 1}},
        name="layers",
    )
    assert dict(config) == {
        "A": "mount",
        "B": "file",
        "C": "environment",
        "D": "environment",
        "E": "default",
        "f.json": {"x": 1},
    }


def test_a_source_that_is_missing_is_an_os_error(tmp_path):
    with pytest.raises(OSError, match="absent") as raised:
        cmreload.watch(tmp_path / "absent")
    assert raised.value.errno == 2
    assert raised.value.key == str(tmp_path / "absent")
    assert pickle.loads(pickle.dumps(raised.value)).errno == 2
    with cmreload.watch(tmp_path / "absent", optional=True) as config:
        assert len(config) == 0


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"nonsense": 1}, TypeError),
        ({"max_keys": 0}, ValueError),
        ({"max_depth": 513}, ValueError),
        ({"poll": 0}, ValueError),
        ({"name": "x" * 300}, ValueError),
        ({"defaults": {"": "1"}}, ValueError),
    ],
)
def test_an_option_that_cannot_be_is_refused(options, error):
    with pytest.raises(error):
        cmreload.Config(**options)


def test_as_deep_as_allowed_is_read(watch):
    deep = "[" * 512 + "]" * 512
    config = watch(defaults={"deep.json": deep}, max_depth=512)
    value, depth = config["deep.json"], 1
    while value:
        value, depth = value[0], depth + 1
    assert depth == 512


def test_stats_say_what_happened(config, configmap):
    configmap.update(LEVEL="debug", wait_for=config)
    with pytest.raises(cmreload.ParseError):
        configmap.update({"app.json": "{"}, wait_for=config)
    stats = config.stats
    assert (stats.healthy, stats.version) == (False, 2)
    assert (stats.reloads_succeeded, stats.reloads_rejected) == (2, 1)
    assert stats.last_success < stats.last_failure
    assert timedelta(0) < stats.last_duration < timedelta(seconds=PATIENCE_SECONDS)
    assert stats.polling == 0
