"""Tells every open page that something was saved: server-sent events that end when we do."""

import asyncio
from collections.abc import AsyncIterator

BEAT = 15.0  # seconds without news after which a line is sent, to notice a page that is gone


class Bell:
    """Rings in all streams. Belongs to one event loop."""

    def __init__(self) -> None:
        self._listening: set[asyncio.Queue[str | None]] = set()
        self._closed = False

    def ring(self, news: str) -> None:
        """Tell everybody who listens; one line of JSON."""
        for queue in self._listening:
            queue.put_nowait(news)

    def close(self) -> None:
        """End all streams, and each that is opened from now on."""
        self._closed = True
        for queue in self._listening:
            queue.put_nowait(None)

    async def stream(self, first: str) -> AsyncIterator[str]:
        """The events of one page, beginning with `first`."""
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._listening.add(queue)
        try:
            news: str | None = first
            while news is not None and not self._closed:
                yield f"data: {news}\n\n" if news else ": still here\n\n"
                try:
                    news = await asyncio.wait_for(queue.get(), BEAT)
                except TimeoutError:
                    news = ""
        finally:
            self._listening.discard(queue)
