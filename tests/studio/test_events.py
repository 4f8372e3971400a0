"""The hub: what is newest is told, and nobody is waited for."""

import asyncio
import json

import pytest

pytest.importorskip("starlette", reason="needs pip install 'tf_style[studio]'")

from tf_style.studio import events
from tf_style.studio.events import Hub


class Socket:
    """A page's end of a socket, which reads as long as `reads` is set."""

    def __init__(self):
        self.got, self.closed = [], None
        self.reads, self.says = asyncio.Event(), asyncio.Queue()
        self.reads.set()

    async def accept(self):
        pass

    async def receive(self):
        return await self.says.get()

    async def close(self, code):
        self.closed = code

    async def send_text(self, text):
        await self.reads.wait()
        self.got.append(json.loads(text))

    async def send_bytes(self, content):
        await self.reads.wait()
        self.got.append(content)


async def settle():
    for _ in range(20):
        await asyncio.sleep(0)


def played(play):
    """Run `play(hub, open)` in a loop; `open` gives a page that has been told what there is."""
    async def run():
        hub, served = Hub(), []
        hub.begin()

        async def opened():
            socket = Socket()
            served.append(asyncio.ensure_future(hub.serve(socket, lambda: [{"id": "a"}])))
            await settle()
            return socket

        try:
            await play(hub, opened)
        finally:
            for each in served:
                each.cancel()

    asyncio.run(run())


def test_all_pages_are_told():
    async def play(hub, opened):
        pages = [await opened(), await opened()]
        hub.job({"id": "a", "step": 1, "state": "painting"})
        hub.removed("b")
        await settle()
        for page in pages:
            assert page.got == [
                {"type": "jobs", "jobs": [{"id": "a"}]},
                {"type": "job", "job": {"id": "a", "step": 1, "state": "painting"}},
                {"type": "removed", "id": "b"}]

    played(play)


def test_who_reads_slowly_gets_the_newest_and_keeps_nobody_waiting():
    async def play(hub, opened):
        slow, quick = await opened(), await opened()
        slow.reads.clear()
        for step in range(500):
            hub.job({"id": "a", "step": step})
            hub.frame({"job": "a", "step": step}, b"." * 1000)
            await settle()
        assert len(quick.got) == 1001
        page = next(each for each in hub._pages if each._websocket is slow)
        assert len(page.texts) + len(page.frames) <= 2
        slow.reads.set()
        await settle()
        # One that was on its way, and the last of each kind.
        assert len(slow.got) <= 4
        assert slow.got[-2]["job"]["step"] == 499 and b'"step": 499' in slow.got[-1]

    played(play)


def test_a_page_that_is_opened_later_sees_what_forms_and_no_more_what_is_done():
    async def play(hub, opened):
        hub.job({"id": "a", "state": "painting"})
        hub.frame({"job": "a"}, b".")
        hub.job({"id": "a", "state": "painting"})
        await settle()
        assert len((await opened()).got) == 2
        hub.job({"id": "a", "state": "done"})
        await settle()
        assert len((await opened()).got) == 1

    played(play)


def test_what_a_page_says_closes_its_socket():
    async def play(hub, opened):
        page = await opened()
        await page.says.put({"type": "websocket.receive", "text": "hello"})
        await settle()
        assert page.closed == 1003 and not hub.has_pages

    played(play)


def test_pages_are_as_many_as_may_be(monkeypatch):
    monkeypatch.setattr(events, "_MOST", 2)

    async def play(hub, opened):
        pages = [await opened() for _ in range(3)]
        assert [each.closed for each in pages] == [None, None, 1013]
        await pages[0].says.put({"type": "websocket.disconnect"})
        await settle()
        assert (await opened()).closed is None

    played(play)


def test_before_and_after_the_loop_nothing_is_told():
    hub = Hub()
    hub.job({"id": "a"})

    async def begin():
        hub.begin()

    asyncio.run(begin())
    hub.job({"id": "a"})
