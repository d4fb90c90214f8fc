"""Hearing of changes: handlers on the library's thread, by dispatch, and in an asyncio loop."""

import asyncio
import ctypes
import logging
import os
import queue
import select
import threading
import time

import pytest

import cmreload
from cmreload.testing import ConfigMap, write_mount

PATIENCE_SECONDS = 30


@pytest.fixture
def config(watch, configmap):
    configmap.update(LOG_LEVEL="info", OTHER="1", **{"features.json": {"dark": False}})
    return watch(configmap.path)


def test_a_handler_hears_what_changed(config, configmap, heard):
    config.on_change()(heard)
    before = config.snapshot
    configmap.update(LOG_LEVEL="debug", NEW="1")
    (event,) = heard.wait(1)
    assert (event.kind, event.cause, event.version) == ("published", "change", 2)
    assert event.changes == {"LOG_LEVEL": "modified", "NEW": "added"}
    assert event.previous is before
    assert event.snapshot is config.snapshot
    assert event.error is None
    configmap.delete("NEW")
    assert heard.wait(2)[1].changes == {"NEW": "removed"}


def test_without_parentheses_a_handler_hears_of_all_keys(config, configmap, heard):
    @config.on_change
    def hear(event):
        heard(event)

    configmap.update(OTHER="2")
    assert heard.wait(1)[0].changes == {"OTHER": "modified"}
    config.remove(hear)
    configmap.update(OTHER="3", wait_for=config)
    assert len(heard.events) == 1


def test_an_update_that_begins_is_rehearsed_and_tells_nobody(watch, configmap, heard, monkeypatch):
    others = {"a.json": {"b": 1}, "b.bin": b"\xff", "c.yaml": ""}
    configmap.update(LEVEL="info", LARGE="x" * 5000, **others)
    config = watch(configmap.path)
    config.on_change()(heard)
    first, rehearsed, copied = config.snapshot, queue.Queue(), cmreload.live.copied
    monkeypatch.setattr(
        cmreload.live, "copied", lambda *arguments: rehearsed.put(copied(*arguments))
    )
    os.mkdir(f"{configmap.path}/..2026_11_22_08_45_04.1")
    assert rehearsed.get(timeout=PATIENCE_SECONDS) == {
        key: first[key] for key in ("LEVEL", *others)
    }
    monkeypatch.undo()
    configmap.update(LEVEL="debug", wait_for=config)
    assert [event.version for event in heard.events] == [2]


def test_patterns_choose_what_a_handler_hears(config, configmap, heard):
    config.on_change("LOG_LEVEL", "features.*")(heard)
    configmap.update(OTHER="2", wait_for=config)
    configmap.update(OTHER="3", LOG_LEVEL="debug", wait_for=config)
    configmap.update({"features.json": {"dark": True}}, wait_for=config)
    assert [event.changes for event in heard.events] == [
        {"LOG_LEVEL": "modified"},
        {"features.json": "modified"},
    ]


def test_a_malformed_pattern_is_refused(config):
    for pattern in ("", "[a", "a\\"):
        with pytest.raises(ValueError, match="pattern"):
            config.on_change(pattern)


def test_the_first_version_is_told_before_start_returns(configmap, heard):
    configmap.update(A="1")
    config = cmreload.Config(configmap.path)
    threads = []
    config.on_change()(lambda event: threads.append(threading.get_ident()))
    config.on_change("A")(heard)
    with config:
        assert [event.changes for event in heard.events] == [{"A": "added"}]
        assert heard.events[0].previous is None
        assert heard.events[0].cause == "start"
        assert threads == [threading.get_ident()]


def test_readers_see_the_version_before_handlers_are_told(config, configmap):
    seen = []
    done = threading.Event()

    @config.on_change()
    def look(event):
        seen.append((config["LOG_LEVEL"], event.snapshot["LOG_LEVEL"], config.version))
        done.set()

    configmap.update(LOG_LEVEL="debug")
    assert done.wait(PATIENCE_SECONDS)
    assert seen == [("debug", "debug", 2)]


def test_an_exception_is_logged_counted_and_stops_nothing(config, configmap, heard, caplog):
    counts = []

    @config.on_change()
    def broken(event):
        raise RuntimeError("a handler's own problem")

    config.on_change()(heard)
    config.on_change("LOG_LEVEL")(lambda event: counts.append(event.failed))
    configmap.update(LOG_LEVEL="debug", OTHER="2", wait_for=config)
    configmap.update(OTHER="3", wait_for=config)
    assert [event.failed for event in heard.wait(2)] == [1, 1]
    assert counts == [1]
    assert str(heard.events[0].failures[0]) == "a handler's own problem"
    records = [record for record in caplog.records if record.name == "cmreload"]
    assert len(records) == 2
    assert all(record.levelno == logging.ERROR and record.exc_info for record in records)


def test_rejections_reach_who_wants_every_event(config, configmap, heard):
    changes = []
    config.on_event(heard)
    config.on_change()(changes.append)
    configmap.update({"features.json": '{"dark": '})
    (event,) = heard.wait(1)
    assert event.kind == "rejected"
    assert isinstance(event.error, cmreload.ParseError)
    assert (event.error.key, event.error.line) == ("features.json", 1)
    assert event.version == 1
    assert event.snapshot is config.snapshot
    configmap.update({"features.json": "{}"}, wait_for=config)
    assert [event.kind for event in heard.events] == ["rejected", "published"]
    assert len(changes) == 1


def test_a_lost_source_is_named(watch, configmap, heard, tmp_path):
    mount = tmp_path / "mount"
    mount.mkdir()
    mounted = ConfigMap(A="1", path=mount)
    config = watch(mounted.path)
    config.on_event(heard)
    moved = tmp_path / "moved"
    mount.rename(moved)
    (event,) = heard.wait(1)
    assert (event.kind, event.error.key) == ("source_lost", str(mount))
    assert not config.healthy
    moved.rename(mount)
    assert heard.wait(2)[1].kind == "source_recovered"
    assert config["A"] == "1"


def test_a_removed_handler_hears_nothing_more(config, configmap, heard):
    config.on_change()(heard)
    configmap.update(OTHER="2", wait_for=config)
    config.remove(heard)
    configmap.update(OTHER="3", wait_for=config)
    assert len(heard.events) == 1


def test_a_method_can_be_removed(config, configmap):
    seen = []
    config.on_change()(seen.append)
    config.remove(seen.append)
    configmap.update(OTHER="2", wait_for=config)
    assert seen == []


def test_a_handler_that_exits_keeps_no_other_from_being_told(config, configmap, heard):
    @config.on_change()
    def end(event):
        raise SystemExit

    config.on_change()(heard)
    configmap.update(OTHER="2", wait_for=config)
    assert [event.version for event in heard.events] == [2]


def test_a_handler_may_remove_itself_and_add_another(config, configmap, heard):
    @config.on_change()
    def once(event):
        config.remove(once)
        config.on_change()(heard)

    configmap.update(OTHER="2", wait_for=config)
    configmap.update(OTHER="3", wait_for=config)
    assert [event.version for event in heard.events] == [3]


def test_versions_that_come_while_a_handler_runs_are_one_event(config, configmap, heard):
    running, go_on = threading.Event(), threading.Event()

    @config.on_change()
    def slow(event):
        running.set()
        go_on.wait(PATIENCE_SECONDS)

    config.on_change()(heard)
    configmap.update(OTHER="2")
    assert running.wait(PATIENCE_SECONDS)
    for turn in range(3, 6):
        configmap.update({"OTHER": str(turn), f"K{turn}": "1"})
        config.reload()
    assert config["OTHER"] == "5"  # readers do not wait for handlers
    go_on.set()
    first, second = heard.wait(2)
    assert (first.version, second.version) == (2, 5)
    assert second.previous.version == 2
    assert second.previous["OTHER"] == "2"
    assert second.changes == {"OTHER": "modified", "K3": "added", "K4": "added", "K5": "added"}


def thread_states():
    """Of how many threads the interpreter keeps something."""
    api, pointer = ctypes.pythonapi, ctypes.c_void_p
    for name in ("PyInterpreterState_Get", "PyInterpreterState_ThreadHead", "PyThreadState_Next"):
        getattr(api, name).restype = pointer
    state = api.PyInterpreterState_ThreadHead(pointer(api.PyInterpreterState_Get()))
    count = 0
    while state:
        count += 1
        state = api.PyThreadState_Next(pointer(state))
    return count


def test_a_thread_of_the_librarys_that_ends_leaves_nothing_behind(watch, tmp_path):
    mounts = [tmp_path / str(number) for number in range(4)]
    # Handlers that wait for each other need a thread each, and these end when all have met.
    meeting = threading.Barrier(len(mounts) + 1, timeout=PATIENCE_SECONDS)
    for mount in mounts:
        mount.mkdir()
        write_mount(mount, {"KEY": "0"})
        watch(mount).on_event(lambda _: meeting.wait())
    before = thread_states()
    for number in range(10):
        for mount in mounts:
            write_mount(mount, {"KEY": str(number + 1)})
        meeting.wait()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while thread_states() > before + len(mounts) and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    assert thread_states() <= before + len(mounts)


def test_what_waits_is_refused_inside_a_handler(config, configmap):
    problems = []
    done = threading.Event()

    @config.on_change()
    def waiting(event):
        for wait in (config.reload, config.wait, config.dispatch):
            try:
                wait()
            except cmreload.StateError as problem:
                problems.append(problem)
        with config.pin() as snapshot:
            assert snapshot is event.snapshot
        done.set()

    configmap.update(OTHER="2")
    assert done.wait(PATIENCE_SECONDS)
    assert len(problems) == 3


# ---- by hand ----


def test_manual_handlers_are_called_by_dispatch_on_its_thread(config, configmap, heard):
    threads = []
    config.on_change("LOG_LEVEL", manual=True)(heard)
    config.on_event(lambda event: threads.append(threading.get_ident()), manual=True)
    assert config.dispatch() == 0
    configmap.update(LOG_LEVEL="debug")
    assert select.select([config.event_fd], [], [], PATIENCE_SECONDS)[0]
    assert config["LOG_LEVEL"] == "info" or not heard.events
    assert config.dispatch() == 1
    assert [event.changes for event in heard.events] == [{"LOG_LEVEL": "modified"}]
    assert threads == [threading.get_ident()]
    assert config["LOG_LEVEL"] == "debug"
    assert not select.select([config.event_fd], [], [], 0)[0]


def test_versions_that_come_between_dispatches_are_one_event(config, configmap, heard):
    config.on_change(manual=True)(heard)
    for turn in range(2, 5):
        configmap.update(OTHER=str(turn), wait_for=config)
    config.dispatch()
    (event,) = heard.events
    assert event.version == 4
    assert event.previous.version == 1
    assert event.changes == {"OTHER": "modified"}


# ---- asyncio ----


def test_changes_come_to_the_loop_in_order(config, configmap):
    async def follow():
        seen = []
        changes = config.changes("OTHER")
        configmap.update(LOG_LEVEL="debug")
        configmap.update(OTHER="2")
        async for event in changes:
            seen.append((event.snapshot["OTHER"], list(event.changes)))
            if len(seen) == 3:
                break
            configmap.update(OTHER=str(len(seen) + 2))
        return seen

    seen = asyncio.run(asyncio.wait_for(follow(), PATIENCE_SECONDS))
    assert seen == [("2", ["OTHER"]), ("3", ["OTHER"]), ("4", ["OTHER"])]


def test_waiting_for_a_change_blocks_no_other_task(config, configmap):
    async def follow():
        turns = 0

        async def tick():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        ticking = asyncio.ensure_future(tick())
        waiting = asyncio.ensure_future(config.wait_for_change("LOG_LEVEL"))
        await asyncio.sleep(0)
        threading.Thread(target=configmap.update, kwargs={"LOG_LEVEL": "debug"}).start()
        event = await waiting
        ticking.cancel()
        return event, turns

    event, turns = asyncio.run(asyncio.wait_for(follow(), PATIENCE_SECONDS))
    assert event.snapshot["LOG_LEVEL"] == "debug"
    assert turns > 1


def test_versions_that_come_while_the_loop_is_busy_are_one_event(config, configmap):
    async def follow():
        changes = config.events()
        configmap.update({"OTHER": "2", "NEW": "1"}, wait_for=config)
        with pytest.raises(cmreload.ParseError):
            configmap.update({"features.json": "{"}, wait_for=config)
        configmap.update({"OTHER": "3", "features.json": {"dark": False}}, wait_for=config)
        configmap.delete("NEW", wait_for=config)
        event = await changes.next()
        assert event.previous.version == 1
        assert event.changes == {"OTHER": "modified"}
        with pytest.raises(cmreload.ParseError):
            configmap.update({"features.json": "{"}, wait_for=config)
        return await changes.next()

    assert asyncio.run(asyncio.wait_for(follow(), PATIENCE_SECONDS)).kind == "rejected"


def test_a_key_that_was_changed_and_changed_back_while_the_loop_is_busy_is_no_event(
    config, configmap
):
    async def follow():
        changes, all_changes = config.changes("LOG_LEVEL"), config.changes()
        before = config["LOG_LEVEL"]
        configmap.update(LOG_LEVEL="between", wait_for=config)
        configmap.update(LOG_LEVEL=before, wait_for=config)
        event = await all_changes.next()
        assert (event.version, event.changes) == (3, {})  # that of the newest version
        configmap.update(LOG_LEVEL="after", wait_for=config)
        event = await changes.next()
        assert (event.previous.version, event.version) == (3, 4)
        assert event.changes == {"LOG_LEVEL": "modified"}

    asyncio.run(asyncio.wait_for(follow(), PATIENCE_SECONDS))


def test_a_closed_configuration_ends_the_iteration(config):
    async def follow():
        changes = config.changes()
        waiting = asyncio.ensure_future(config.wait_for_change())
        await asyncio.sleep(0)
        config.close()
        with pytest.raises(cmreload.StateError):
            await waiting
        return [event async for event in changes]

    assert asyncio.run(asyncio.wait_for(follow(), PATIENCE_SECONDS)) == []


def test_an_iteration_gives_its_descriptor_back(config, configmap):
    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    async def follow():
        async for _ in config.changes():
            break

    async def count():
        before = descriptors()
        for turn in range(20):
            waiting = asyncio.ensure_future(follow())
            await asyncio.sleep(0)
            configmap.update(OTHER=f"turn {turn}")
            await waiting
            abandoned = config.changes()
            del abandoned
            waiting = asyncio.ensure_future(config.wait_for_change())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.sleep(0)
        while descriptors() > before:  # what was read is closed when all have been told
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(count(), PATIENCE_SECONDS))


def test_an_iteration_that_outlives_its_loop_does_no_harm(config, configmap):
    kept = []

    async def begin():
        kept.append(config.changes())

    asyncio.run(begin())
    configmap.update(OTHER="2", wait_for=config)
    kept.clear()
    configmap.update(OTHER="3", wait_for=config)
    assert config["OTHER"] == "3"


def test_many_iterations_hear_each_version_once(config, configmap):
    async def follow(count):
        listeners = [config.changes() for _ in range(count)]
        configmap.update(OTHER="2")
        events = await asyncio.gather(*(listener.next() for listener in listeners))
        configmap.update(OTHER="3")
        events += await asyncio.gather(*(listener.next() for listener in listeners))
        return [event.version for event in events]

    versions = asyncio.run(asyncio.wait_for(follow(5), PATIENCE_SECONDS))
    assert versions == [2] * 5 + [3] * 5


def test_an_iteration_that_is_closed_ends_for_who_waits(config):
    async def follow(close):
        changes = config.changes()

        async def collect():
            return [event async for event in changes]

        waiting = asyncio.ensure_future(collect())
        await asyncio.sleep(0)
        await close(changes)
        return await waiting

    async def here(changes):
        changes.close()

    async def elsewhere(changes):
        threading.Thread(target=changes.close).start()

    for close in (here, elsewhere):
        assert asyncio.run(asyncio.wait_for(follow(close), PATIENCE_SECONDS)) == []


def test_two_tasks_share_an_iteration(config, configmap):
    async def follow():
        changes = config.changes()
        waiting = [asyncio.ensure_future(changes.next()) for _ in range(2)]
        await asyncio.sleep(0)
        for turn in "23":
            configmap.update(OTHER=turn)
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            waiting = [each for each in waiting if not each.done()]
        return waiting

    assert asyncio.run(asyncio.wait_for(follow(), PATIENCE_SECONDS)) == []


# ---- waiting ----


def test_nothing_is_waited_for_before_the_start():
    config = cmreload.Config(defaults={"KEY": "1"})
    refused = threading.Event()

    def wait():
        with pytest.raises(cmreload.StateError):
            config.wait()
        refused.set()

    threading.Thread(target=wait, daemon=True).start()
    assert refused.wait(PATIENCE_SECONDS)


def test_wait_returns_the_version_that_readers_see(config, configmap):
    configmap.update(OTHER="2")
    assert config.wait(1, timeout=PATIENCE_SECONDS) == 2
    assert config["OTHER"] == "2"
    assert config.wait(0) == 2
    with pytest.raises(TimeoutError):
        config.wait(timeout=0)


def test_close_ends_a_wait(config):
    waiting = threading.Timer(0, config.close)
    waiting.start()
    with pytest.raises(cmreload.StateError):
        config.wait(timeout=PATIENCE_SECONDS)


def test_a_reload_is_seen_by_readers_when_it_returns(config, configmap):
    for turn in range(50):
        configmap.update(OTHER=f"turn {turn}")
        version = config.reload()
        assert config["OTHER"] == config.snapshot["OTHER"] == f"turn {turn}"
        assert config.version == version


def test_a_reload_says_why_it_failed(config, configmap):
    configmap.update({"features.json": '{"dark": tru}'})
    with pytest.raises(cmreload.ParseError) as raised:
        config.reload()
    assert (raised.value.key, raised.value.line, raised.value.column) == ("features.json", 1, 10)
    assert raised.value.stage == "parse"
    assert config["features.json"] == {"dark": False}
