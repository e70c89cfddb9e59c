"""Pages that stay open hear of readings and events as they happen, over a real server, and leave nothing behind when they close."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
import uvicorn
from django.core.asgi import get_asgi_application
from django.db import connections
from django.test import Client
from django.urls import reverse
from tests.cast import NOW, Cast, StoppedClock, make_cast, sign_in
from tests.demand_response.world import World, flat, local, make_world, record, record_at

from commonwatt.demand_response import actions
from commonwatt.kernel.clock import WallClock
from commonwatt.kernel.time import epoch_seconds
from commonwatt.metering.values import MeterView
from commonwatt.outbox import live as outbox_live
from commonwatt.portal import live
from commonwatt.portal.middleware import use_clock

pytestmark = pytest.mark.django_db(transaction=True)
STARTS_AT = local("2026-11-20 17:00")
Said = tuple[str, str]
PATIENCE_S = 20.0


class Stream:
    """What a browser hears: the messages of one open page, as they come in."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.iter_lines()

    def rest(self) -> list[str]:
        """Whatever still comes, until the server ends the stream."""
        return [line for line in self._lines if line]

    def until(self, name: str, *, holds: Callable[[str], bool] = lambda _data: True) -> list[Said]:
        """Every message up to the first of this name of whose data something holds."""
        said: list[Said] = []
        current, data = "", list[str]()
        deadline = time.monotonic() + PATIENCE_S
        for line in self._lines:
            assert time.monotonic() < deadline, f"{name} did not come: {said}"
            if line.startswith("event: "):
                current, data = line.removeprefix("event: "), []
            elif line.startswith("data: "):
                data.append(line.removeprefix("data: "))
            elif not line and current:
                said.append((current, "\n".join(data)))
                if current == name and holds("\n".join(data)):
                    return said
                current = ""
        raise AssertionError(f"the stream ended without {name}: {said}")


@pytest.fixture
def cast(settings: Any) -> Iterator[Cast]:
    """The cast, seen by the server's threads too."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    use_clock(StoppedClock())
    yield make_cast()
    use_clock(WallClock())


@pytest.fixture
def server(cast: Cast) -> Iterator[str]:
    """The portal under uvicorn, as it is served; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(get_asgi_application(), lifespan="off", log_level="warning", timeout_graceful_shutdown=3)
        running = uvicorn.Server(config)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        while not running.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        running.should_exit = True
        thread.join(10)
    assert not thread.is_alive()
    for pool in (live._threads, outbox_live._thread):
        for _ in range(live._threads._max_workers):
            pool.submit(connections.close_all).result()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signs of life come sooner than in the product, so that tests do not wait."""
    monkeypatch.setattr(live, "TICK_S", 0.3)
    monkeypatch.setattr(live, "LEAST_GAP_S", 0.05)


def cookies(cast: Cast, name: str) -> dict[str, str]:
    """What the browser of somebody who is signed in sends along."""
    client = sign_in(Client(), cast.user(name))
    return {key: morsel.value for key, morsel in client.cookies.items()}


@pytest.fixture
def world(cast: Cast) -> World:
    """A program, and Ana's meter with five weeks of 1 kWh an hour; she takes part."""
    world = make_world(cast)
    meter = world.meter(cast.home_site)
    record(meter, date(2026, 10, 16), date(2026, 11, 19), flat(1000))
    world.enrol(cast.home_site, now=local("2026-11-01 12:00"))
    return world


def meter_of(cast: Cast) -> MeterView:
    """Ana's meter."""
    from commonwatt.metering.queries import meters_of

    return meters_of(cast.home.id, NOW)[0]


def test_a_dashboard_hears_of_a_reading(cast: Cast, world: World, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ana's open dashboard gets the new interval and the new sums within seconds of the reading; another's readings leave it in peace."""
    monkeypatch.setattr(live, "TICK_S", 60.0)  # nothing but news wakes the page
    meter, other = meter_of(cast), world.meter(cast.other_site)
    address = server + reverse("portal:meter_live", args=[meter.public_id])
    with httpx.stream("GET", address, cookies=cookies(cast, "ana"), timeout=20) as response:
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["cache-control"] == "no-store"
        stream = Stream(response)
        assert "No reading has arrived" not in stream.until("figures")[-1][1]
        stream.until("interval-table")
        started = time.monotonic()
        record_at(other, [epoch_seconds(local("2026-11-20 11:00"))], [5], now=NOW)
        time.sleep(1.5)
        record_at(meter, [epoch_seconds(local("2026-11-20 11:00"))], [750], now=NOW)
        said = stream.until("interval", holds=lambda data: '"metered_wh":750' in data)
        assert time.monotonic() - started < 5
        assert json.loads(said[-1][1]) == {
            "start": "2026-11-20T10:00:00Z", "metered_wh": 750, "quality": "measured", "now": "2026-11-20T12:00:00Z",
        }  # fmt: skip
        assert [name for name, _data in said].count("clock") == 1
        assert ["0.750" in data for name, data in said if name == "interval-table"] == [True]
        figures = [data for name, data in said if name == "figures"]
        assert "0.750\u00a0kWh" in figures[-1]


def test_an_event_page_follows_the_event_and_ends_with_it(cast: Cast, world: World, server: str, quick: None) -> None:
    """It begins, a reading comes in, it ends: each is told as it happens, and after the last the browser is told to stop listening."""
    event = world.call(STARTS_AT)
    meter = meter_of(cast)
    address = server + reverse("portal:event_live", args=[event.public_id])
    with httpx.stream("GET", address, cookies=cookies(cast, "ana"), timeout=20) as response:
        stream = Stream(response)
        assert "Upcoming" in stream.until("figures")[-1][1]
        move_to(STARTS_AT)
        assert "Under way" in stream.until("figures", holds=lambda html: "Under way" in html)[-1][1]
        stream.until("timeline", holds=lambda html: "The event began." in html)
        use_clock(StoppedClock(STARTS_AT + timedelta(hours=1)))
        record_at(meter, [epoch_seconds(STARTS_AT)], [600], now=STARTS_AT + timedelta(hours=1))
    # A browser whose connection broke comes back: it hears everything anew.
    with httpx.stream("GET", address, cookies=cookies(cast, "ana"), timeout=20) as response:
        stream = Stream(response)
        said = stream.until("interval", holds=lambda data: '"metered_wh":600' in data)
        assert any("0.400\u00a0kWh" in data for name, data in said if name == "figures")
        move_to(event.ends_at)
        stream.until("ended")
        assert stream.rest() == []


def test_a_quiet_page_still_hears_the_clock(cast: Cast, world: World, server: str, quick: None) -> None:
    """Without any news the time is told again and again, so that a page can say how old its figures are."""
    meter = meter_of(cast)
    with httpx.stream(
        "GET", server + reverse("portal:meter_live", args=[meter.public_id]), cookies=cookies(cast, "ana"), timeout=20
    ) as response:
        stream = Stream(response)
        stream.until("clock")
        for _ in range(3):
            assert json.loads(stream.until("clock")[-1][1]) == {"now": "2026-11-20T12:00:00Z"}


def test_who_signs_out_hears_no_more(cast: Cast, world: World, server: str, quick: None) -> None:
    """Signing out, or losing one's place, ends the stream at the next news; a stranger never gets one."""
    meter = meter_of(cast)
    address = server + reverse("portal:meter_live", args=[meter.public_id])
    assert httpx.get(address, cookies=cookies(cast, "chloe")).status_code == 404
    assert httpx.get(address).status_code == 302
    browser = cookies(cast, "ana")
    with httpx.stream("GET", address, cookies=browser, timeout=20) as response:
        stream = Stream(response)
        stream.until("figures")
        client = Client()
        client.cookies.load(browser)
        client.post(reverse("account_logout"))
        record_at(meter, [epoch_seconds(local("2026-11-20 10:00"))], [999], now=NOW)
        said = stream.until("ended")
        assert not any("999" in data for _name, data in said)


def test_many_pages_stay_open_and_go(cast: Cast, world: World, server: str, quick: None) -> None:
    """With twenty pages open, more than there are connections to the database, others are served; closed, none waits for news any more."""
    address = server + reverse("portal:meter_live", args=[meter_of(cast).public_id])
    browser = cookies(cast, "ana")

    async def stay(client: httpx.AsyncClient, all_open: asyncio.Barrier, served: asyncio.Event) -> None:
        async with client.stream("GET", address) as response:
            async for line in response.aiter_lines():
                if line.startswith("event: figures"):
                    break
            await all_open.wait()
            await served.wait()

    async def twenty() -> int:
        all_open, served = asyncio.Barrier(21), asyncio.Event()
        async with httpx.AsyncClient(cookies=browser, timeout=20) as client:
            open_pages = [asyncio.create_task(stay(client, all_open, served)) for _ in range(20)]
            await asyncio.wait_for(all_open.wait(), 30)
            answer = await client.get(server + reverse("portal:messages"))
            served.set()
            await asyncio.gather(*open_pages)
            return answer.status_code

    assert asyncio.run(twenty()) == 200
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and any(watch.waiting for watch in list(outbox_live._watches.values())):
        time.sleep(0.05)
    assert [watch.waiting for watch in list(outbox_live._watches.values()) if watch.waiting] == []


def test_a_stream_does_not_last_for_ever(cast: Cast, world: World, server: str, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an hour it is closed, and the browser comes back through the front door."""
    monkeypatch.setattr(live, "LONGEST_S", 1.0)
    meter = meter_of(cast)
    with httpx.stream(
        "GET", server + reverse("portal:meter_live", args=[meter.public_id]), cookies=cookies(cast, "ana"), timeout=20
    ) as response:
        names = [line for line in response.iter_lines() if line.startswith("event: ")]
    assert "event: clock" in names
    assert "event: ended" not in names


def move_to(instant: Any) -> None:
    """Let it be then, and events begin or end."""
    use_clock(StoppedClock(instant))
    actions.advance_events(now=instant)
