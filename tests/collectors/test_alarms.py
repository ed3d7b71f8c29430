"""Who is told of an outage, when, how often, and by which ways."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from fleettop.collectors.alarms.message import Message
from fleettop.collectors.alarms.watchman import Watchman
from fleettop.collectors.alarms.ways import Command, Outbox, Webhook
from fleettop.collectors.config import Config
from fleettop.collectors.config.alarms import Alarms
from fleettop.collectors.config.settings import Group, load_config
from fleettop.collectors.errors import ConfigError
from fleettop.collectors.outages.incidents import Thresholds

from .test_outages import PAY, api, back, dead, lapse, look, served
from .watched import NOON, Watched

Eventually = Callable[..., Any]


class Noted:
    """A way that keeps what it is given."""

    name = "a test"

    def __init__(self, *answers: str) -> None:
        self.got: list[Message] = []
        self._answers = list(answers)

    async def send(self, message: Message) -> str:
        self.got.append(message)
        return self._answers.pop(0) if self._answers else ""


class Watch:
    """A watched fleet with a watchman, and what was told here."""

    def __init__(self, patience: float = 0.0, **alarms: object) -> None:
        self.watched = Watched()
        self.here: list[tuple[str, float, int]] = []
        self.elsewhere: list[str] = []
        config = Config(alarms=Alarms(**{"downtime_warn": 60.0, "downtime_page": 180.0, **alarms}))  # type: ignore[arg-type]
        self.man = Watchman(
            self.watched.fleet, config, self.watched.clock, environment={}, patience=patience, ways=(Noted(),)
        )
        self.man.on_alarm = lambda said: self.here.append((said.level, said.down_seconds, said.times))
        self.man.outboxes[0].put = self._arrive  # type: ignore[method-assign]

    def _arrive(self, said: Message) -> None:
        self.elsewhere.append(said.level)
        self.man._arrived(said)

    def pass_time(self, span: float) -> None:
        """Second by second, as it looks."""
        for _ in range(int(span)):
            self.watched.clock.advance(1)
            self.man.tick()

    def away(self) -> None:
        at = (self.watched.clock.now() - NOON).total_seconds()
        self.watched.see(api(**dead(at)))
        look(self.watched)

    def back(self) -> None:
        at = (self.watched.clock.now() - NOON).total_seconds()
        self.watched.see(api(**back(at - 1, at)))
        look(self.watched)


# -- when


def test_each_threshold_is_told_once_and_the_end_says_how_long_it_was() -> None:
    """Warned after a minute, paged after three, and told that it is back after it served for a minute."""
    watch = Watch()
    served(watch.watched, api())
    watch.pass_time(10)
    watch.away()
    watch.pass_time(200)
    assert watch.here == [("warn", 60, 1), ("page", 180, 1)]
    watch.back()
    watch.pass_time(59)
    assert len(watch.here) == 2
    watch.pass_time(2)
    assert watch.here[2] == ("recovered", 200, 1)
    assert watch.elsewhere == ["warn", "page", "recovered"]


def test_what_comes_and_goes_is_one_alarm() -> None:
    """Forty seconds away, ten back, five times: warned once by what it comes to, and once told that it is over."""
    watch = Watch()
    served(watch.watched, api())
    for _ in range(5):
        watch.pass_time(10)
        watch.away()
        watch.pass_time(40)
        watch.back()
    watch.pass_time(61)
    assert [level for level, _, _ in watch.here] == ["warn", "page", "recovered"]
    assert watch.here[-1][1:] == (200, 5)


def test_a_short_outage_is_nobodys_alarm() -> None:
    """Nothing is told, also not that it is over."""
    watch = Watch()
    served(watch.watched, api())
    watch.away()
    watch.pass_time(30)
    watch.back()
    watch.pass_time(100)
    assert watch.here == watch.elsewhere == []


def test_without_thresholds_nobody_is_told() -> None:
    """They are opted into."""
    watch = Watch(downtime_warn=None, downtime_page=None)
    served(watch.watched, api())
    watch.away()
    watch.pass_time(300)
    assert watch.here == []


def test_an_outage_older_than_this_process_rings_no_bell_here_and_is_told_elsewhere() -> None:
    """Who opens the dashboard sees it; who is elsewhere may not know."""
    watch = Watch()
    watch.watched.list("h1", api(**dead(-1000)))
    look(watch.watched)
    watch.pass_time(2)
    assert (watch.here, watch.elsewhere) == ([], ["page"])


def test_what_another_process_told_is_not_told_again_elsewhere() -> None:
    """The trail knows; one's own bell rings all the same."""
    watch = Watch(patience=4.0)
    served(watch.watched, api())
    watch.away()
    watch.pass_time(62)
    assert (len(watch.here), watch.elsewhere) == (1, [])
    watch.watched.fleet.outages.recall([lapse(0, told=("warn",))])
    watch.pass_time(10)
    assert watch.elsewhere == []
    watch.pass_time(150)
    assert watch.elsewhere == ["page"]


def test_the_end_of_what_an_earlier_process_told_is_told() -> None:
    """It was paged, fleettop was started anew, and it served again meanwhile."""
    watch = Watch()
    watch.watched.fleet.outages.recall([lapse(-600, told=("warn", "page"))])
    watch.watched.list("h1", api(**back(-600, -30)))
    look(watch.watched)
    watch.pass_time(32)
    assert watch.elsewhere == ["recovered"]
    watch.pass_time(100)
    assert watch.elsewhere == ["recovered"]


def test_the_strictest_group_of_its_hosts_counts() -> None:
    """And where a group says nothing, what holds for all."""
    watched = Watched()
    config = Config(
        alarms=Alarms(downtime_warn=60, downtime_page=600),
        groups={"": Group(name="", downtime_page=120.0)},
    )
    man = Watchman(watched.fleet, config, watched.clock, environment={}, ways=())
    served(watched, api())
    assert man.thresholds(PAY) == Thresholds(60, 120)


# -- by which ways

SAID = Message(
    id="i1", level="page", service="pay/api", source="compose", scope="pay", key="api", state="down", began="b", at="a",
    down_seconds=181.5, times=1, hosts=("h1",), image="api:1", story="It exits.", text="pay/api has not served for 3m",
)  # fmt: skip


async def serve(answers: list[int], got: list[Any]) -> tuple[web.AppRunner, str]:
    """A receiver that answers these."""

    async def take(request: web.Request) -> web.Response:
        got.append((request.headers["Content-Type"], await request.json()))
        status = answers.pop(0) if answers else 200
        headers = {"Location": "http://127.0.0.1:1/else"} if status == 302 else {}
        return web.Response(status=status, headers=headers)

    app = web.Application()
    app.router.add_post("/hook/s3cr3t", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    return runner, f"http://127.0.0.1:{port}/hook/s3cr3t?token=s3cr3t"


async def test_a_webhook_gets_the_alarm_as_json_and_is_tried_again(eventually: Eventually) -> None:
    """A receiver that answers 500 twice gets it the third time; meanwhile it is said that it does not arrive."""
    got: list[Any] = []
    said: list[str] = []
    runner, address = await serve([500, 302], got)
    box = Outbox(Webhook(address, "127.0.0.1"), lambda: said.append(box.trouble), pauses=(0.01, 0.01, 0.01))
    task = asyncio.ensure_future(box.run())
    box.put(SAID)
    await eventually(lambda: box.idle)
    task.cancel()
    await runner.cleanup()
    assert len(got) == 3
    assert got[2][0] == "application/json"
    assert (got[2][1]["service"], got[2][1]["down_seconds"], got[2][1]["id"]) == ("pay/api", 181.5, "i1")
    assert said == ["webhook at 127.0.0.1 answered 500", "webhook at 127.0.0.1 answered 302", ""]


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/s3cr3t", "https://127.0.0.1:9/s3cr3t?token=s3cr3t"])
async def test_what_goes_wrong_with_a_webhook_never_names_its_secret(address: str) -> None:
    """The address is one: of it only the host is said."""
    way = Webhook(address, "127.0.0.1")
    why = await way.send(SAID)
    assert why == "cannot be reached"
    assert "s3cr3t" not in f"{way.name} {why}"


async def test_a_way_that_does_not_work_gives_up_and_goes_on_with_the_next(eventually: Eventually) -> None:
    """One alarm that cannot be told holds up no other for ever."""
    way = Noted("failed", "failed", "failed")
    box = Outbox(way, lambda: None, pauses=(0.001,))
    task = asyncio.ensure_future(box.run())
    box.put(SAID)
    box.put(SAID)
    await eventually(lambda: box.idle)
    task.cancel()
    assert (len(way.got), box.given_up) == (4, 1)


def test_a_queue_holds_so_many_and_drops_the_oldest() -> None:
    """A receiver that is away for a week costs no memory."""
    box = Outbox(Noted(), lambda: None)
    for _ in range(150):
        box.put(SAID)
    assert box.given_up == 50


async def test_a_command_gets_the_alarm_on_its_input_and_in_its_environment(tmp_path: Path) -> None:
    """Its words are the config's; nothing of a service's name becomes one."""
    out = tmp_path / "out"
    program = "import os,sys; open(sys.argv[1],'w').write(os.environ['FLEETTOP_LEVEL']+sys.stdin.read())"
    assert await Command(("python3", "-c", program, str(out)), {"PATH": "/usr/bin:/bin"}).send(SAID) == ""
    said = out.read_text()
    assert said.startswith("page")
    assert json.loads(said[4:])["text"] == SAID.text


async def test_a_command_that_fails_or_is_not_there_says_so() -> None:
    """In a few words, and raises nothing."""
    assert await Command(("false",), {"PATH": "/usr/bin:/bin"}).send(SAID) == "ended with exit code 1"
    assert "could not be started" in await Command(("/nowhere/x",), {}).send(SAID)


# -- the config


def read(tmp_path: Path, text: str) -> Config:
    file = tmp_path / "fleettop.toml"
    file.write_text(text)
    return load_config(file, home=tmp_path)


def test_alarms_are_read_from_the_config(tmp_path: Path) -> None:
    """Spans as people write them; a group has its own."""
    text = '[alarms]\ndowntime_warn = "1m"\nwebhook = "https://hooks.example.org/x"\n'
    text += 'command = ["say"]\ndesktop = "off"\n'
    found = read(tmp_path, text + '[groups.prod]\ndowntime_page = "3m"\n')
    assert (found.alarms.downtime_warn, found.alarms.webhook_host) == (60, "hooks.example.org")
    assert (found.alarms.command, found.alarms.desktop, found.group("prod").downtime_page) == (("say",), "off", 180)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('webhook = "hooks.example.org/s3cr3t"', "webhook is no web address"),
        ('webhook = "http://hooks.example.org/s3cr3t"', "everybody on the way can read"),
        ('webhook = "https://[::1/s3cr3t"', "webhook is no web address"),
        ('desktop = "osc8"', "desktop must be one of osc9, osc777, off"),
        ("command = []", "command runs nothing"),
        ('downtime_warn = "3m"\ndowntime_page = "1m"', "downtime_page is shorter than downtime_warn"),
        ('steady = "soon"', "alarms.steady: 'soon' is no span of time"),
        ("bel = true", "there is no setting 'bel'"),
    ],
)
def test_a_mistake_in_alarms_is_one_clear_sentence_without_its_secret(tmp_path: Path, text: str, says: str) -> None:
    """The line is named, and nothing of a webhook's address but its host."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, f"[alarms]\n{text}\n")
    assert says in str(caught.value)
    assert "s3cr3t" not in f"{caught.value} {caught.value.hint}"
