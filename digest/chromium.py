"""Pictures of pages by the Chromium of this machine, spoken to through a pipe.

No package is needed: the DevTools protocol is JSON between zero bytes on two file descriptors, and
it alone gives exact widths below 500 px and a dark mode that the page cannot tell from a real one.
The browser reaches no host: whatever a page would load is not loaded.
"""

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from digest.errors import DigestError

NAMES = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    *("microsoft-edge", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
_FLAGS = (
    *("--headless=new", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu"),
    *("--hide-scrollbars", "--disable-background-networking", "--disable-extensions"),
    *("--disable-sync", "--mute-audio", "--font-render-hinting=none", "--disable-dev-shm-usage"),
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "about:blank",
)
# The pipe is at 3 and 4 in the browser; a child of `subprocess` keeps the numbers it had here.
_START = "import os, sys; os.dup2({0}, 3); os.dup2({1}, 4); os.execv(sys.argv[1], sys.argv[1:])"
_PATIENCE = 30.0  # seconds for one answer: a busy machine starts a browser slowly


def find() -> str | None:
    """The browser to use; None when there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextlib.contextmanager
def browser() -> Iterator["Browser"]:
    """A browser that ends with the block. DigestError, with the fix, when there is none."""
    program = find()
    if program is None:
        raise DigestError(
            "there is no Chromium here, which makes the pictures",
            hint="install one: apt install chromium, dnf install chromium, brew install chromium",
        )
    with contextlib.ExitStack() as stack:
        profile = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        ours_in, theirs_out = _pipe(stack)
        theirs_in, ours_out = _pipe(stack)
        command = [program, f"--user-data-dir={profile}", *_FLAGS]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--no-sandbox")  # which root cannot have; the pages are our own
        process = subprocess.Popen(  # noqa: S603 - a program of this machine, found by its name
            [sys.executable, "-c", _START.format(theirs_in, theirs_out), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(theirs_in, theirs_out),
            start_new_session=True,
        )
        stack.callback(_end, process)
        yield Browser(_Wire(ours_in, ours_out))


def _pipe(stack: contextlib.ExitStack) -> tuple[int, int]:
    """Both ends, with numbers that 3 and 4 do not run over."""
    ends = []
    for end in os.pipe():
        ends.append(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10))
        os.close(end)
        stack.callback(os.close, ends[-1])
    return ends[0], ends[1]


def _end(process: "subprocess.Popen[bytes]") -> None:
    """The browser and whatever it started: it is the leader of its own group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@dataclass(slots=True)
class _Wire:
    """Requests and their answers, one at a time."""

    incoming: int
    outgoing: int
    number: int = 0
    rest: bytes = b""

    def call(self, method: str, session: str = "", **values: object) -> Mapping[str, Any]:
        self.number += 1
        request: dict[str, object] = {"id": self.number, "method": method, "params": values}
        if session:
            request["sessionId"] = session
        data = json.dumps(request).encode() + b"\0"
        while data:
            data = data[os.write(self.outgoing, data) :]
        while (answer := self._next(method)).get("id") != self.number:
            pass  # an event, which nobody waits for
        if "error" in answer:
            raise DigestError(f"Chromium: {answer['error'].get('message', method)}")
        result: Mapping[str, Any] = answer["result"]
        return result

    def _next(self, method: str) -> Mapping[str, Any]:
        until = time.monotonic() + _PATIENCE
        while b"\0" not in self.rest:
            left = until - time.monotonic()
            ready = select.select([self.incoming], [], [], max(left, 0))[0]
            part = os.read(self.incoming, 1 << 20) if ready else b""
            if not part:
                raise DigestError(
                    f"Chromium did not answer ({method})", hint="run it again on a quieter machine"
                )
            self.rest += part
        message, _, self.rest = self.rest.partition(b"\0")
        parsed: Mapping[str, Any] = json.loads(message)
        return parsed


@dataclass(slots=True)
class Browser:
    """One page that is drawn again and again."""

    wire: _Wire
    session: str = field(default="")

    def picture(self, html: str, width: int, *, dark: bool = False, scale: float = 1.0) -> bytes:
        """The whole page as PNG: `width` CSS pixels, `scale` times as many dots, any height."""
        page = self._page()
        self._call("Emulation.setEmulatedMedia", features=[_scheme(dark)])
        self._size(width, 800, scale)
        self._call("Page.setDocumentContent", frameId=page, html=html)
        found = self._call(
            "Runtime.evaluate",
            expression="document.fonts.ready.then(() => document.documentElement.scrollHeight)",
            awaitPromise=True,
        )
        height = max(int(found["result"]["value"]), 1)
        self._size(width, height, scale)
        shot = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return b64decode(shot["data"])

    def _page(self) -> str:
        """The frame to draw in."""
        if not self.session:
            target = self.wire.call("Target.createTarget", url="about:blank")["targetId"]
            attached = self.wire.call("Target.attachToTarget", targetId=target, flatten=True)
            self.session = attached["sessionId"]
        frame: str = self._call("Page.getFrameTree")["frameTree"]["frame"]["id"]
        return frame

    def _size(self, width: int, height: int, scale: float) -> None:
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=False,
        )

    def _call(self, method: str, **values: object) -> Mapping[str, Any]:
        return self.wire.call(method, self.session, **values)


def _scheme(dark: bool) -> dict[str, str]:
    return {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
