"""The other side of the wire, in a process of its own: `python -m tests.store.far KIND MOOD LOG`.

A mail server or a SendGrid that notes the id of every delivery it takes in a file, before it
answers, and prints its address. What it does wrong, it does in its mood:

| mood | mail server | SendGrid |
|---|---|---|
| `well` | takes everything | takes everything |
| `421` | ends the session now and then, before a message | - |
| `450`, `429` | puts a third of the readers off, once | refuses every third request for now |
| `550`, `400` | refuses every ninth reader for good | names every ninth reader as the cause |
| `500` | - | every fifth request: takes one, drops one, and says 500 to both |
| `closes` | hangs up in the middle of a body | the same |
| `late` | takes it and says nothing | the same |
"""

import asyncio
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen

from tests import fake_sendgrid
from tests.fake_sendgrid import Say

_ID = re.compile(rb"^Message-ID: <([a-z2-7]{20})@", re.MULTILINE)
_ROOT = Path(__file__).parents[2]
_SELDOM = 97  # one in so many goes wrong where an answer is lost


class Log:
    """What was taken, one id a line; written before anybody is told."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def take(self, *deliveries: str) -> None:
        os.write(self._file, "".join(f"{one}\n" for one in deliveries).encode())


class MailServer:
    """As much of SMTP as a sender needs, with pipelining, and a mood."""

    def __init__(self, mood: str, log: Log) -> None:
        self.mood, self.log, self.seen = mood, log, 0
        self.put_off: set[bytes] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"220 far ESMTP\r\n")
            session = _Session(self, reader, writer)
            while line := await reader.readline():
                if not await session.answer(line.strip()):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the sender was killed
        finally:
            writer.close()

    def refuses(self, line: bytes) -> bytes:
        """The answer to RCPT, if it is a refusal."""
        if self.mood == "550" and self.seen % 9 == 0:
            return b"550 5.1.1 no such mailbox\r\n"
        if self.mood == "450" and self.seen % 3 == 0 and line not in self.put_off:
            self.put_off.add(line)
            return b"450 4.2.1 come again\r\n"
        return b""


class _Session:
    """One connection."""

    def __init__(
        self, server: MailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.refusal, self.troubled = b"", False

    async def answer(self, line: bytes) -> bool:
        """False when the session is over."""
        server, say = self.server, self.writer.write
        match line[:4].upper():
            case b"EHLO":
                say(b"250-far\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
            case b"MAIL":
                server.seen += 1
                self.troubled = server.seen % _SELDOM == 0
                if server.mood == "421" and self.troubled:
                    say(b"421 4.3.2 closing for a moment\r\n")
                    return False
                say(b"250 2.1.0 ok\r\n")
            case b"RCPT":
                self.refusal = server.refuses(line)
                say(self.refusal or b"250 2.1.5 ok\r\n")
            case b"DATA" if self.refusal:
                say(b"503 5.5.1 nobody to send it to\r\n")
            case b"DATA":
                return await self._message()
            case b"QUIT":
                say(b"221 bye\r\n")
                return False
            case _:
                say(b"250 ok\r\n")
        return True

    async def _message(self) -> bool:
        mood = self.server.mood
        self.writer.write(b"354 go on\r\n")
        if mood == "closes" and self.troubled:
            await self.reader.readexactly(2000)
            return False
        data = await self.reader.readuntil(b"\r\n.\r\n")
        match = _ID.search(data)
        assert match is not None
        self.server.log.take(match[1].decode())
        if mood == "late" and self.troubled:
            await asyncio.sleep(3600)
        self.writer.write(b"250 2.0.0 taken\r\n")
        return True


class Sendgrid(fake_sendgrid.FakeSendgrid):
    """Checks nothing but the ids, and answers in its mood."""

    def __init__(self, mood: str, log: Log) -> None:
        super().__init__()
        self.RequestHandlerClass = _Handler
        self.mood, self.log, self.asked = mood, log, 0

    def answer(self, people: list[dict[str, dict[str, str]]]) -> tuple[Say, bool]:
        """What is said, and whether the mail goes out."""
        self.asked += 1
        asked, mood = self.asked, self.mood
        if mood == "429" and asked % 3 == 0:
            return Say(
                429, fake_sendgrid.errors((None, "too many")), (("Retry-After", "0"),)
            ), False
        if mood == "400" and (bad := [n for n, one in enumerate(people) if _ninth(one)]):
            return fake_sendgrid.bad(*bad), False
        if mood == "500" and asked % 5 == 0:
            return fake_sendgrid.BROKEN, asked % 2 == 0
        if mood == "late" and asked % 11 == 0:
            return fake_sendgrid.SILENT, True
        return fake_sendgrid.ACCEPT, True


def _ninth(person: dict[str, dict[str, str]]) -> bool:
    return person["custom_args"]["dg_did"][-1] in "abc"


class _Handler(fake_sendgrid._Handler):
    server: Sendgrid

    def do_POST(self) -> None:  # noqa: N802 - the name is the library's
        length = int(self.headers["Content-Length"])
        if self.server.mood == "closes" and self.server.seen.connections % 7 == 3:
            self.server.seen.connections += 1
            self.rfile.read(length // 2)
            self.close_connection = True
            return
        people = json.loads(self.rfile.read(length))["personalizations"]
        say, takes = self.server.answer(people)
        if takes:
            self.server.log.take(*(one["custom_args"]["dg_did"] for one in people))
        self._say(say)


async def _mail_server(mood: str, log: Log) -> None:
    server = await asyncio.start_server(MailServer(mood, log).serve, "127.0.0.1", 0, limit=1 << 22)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def far_side(kind: str, mood: str, log: Path) -> Iterator[str]:
    """A server in a process of its own; gives `smtp:PORT` or `sendgrid:URL`."""
    command = [sys.executable, "-m", "tests.store.far", kind, mood, str(log)]
    with Popen(command, cwd=_ROOT, stdout=PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"{kind}:{process.stdout.readline().strip()}"
        finally:
            process.kill()


def main(kind: str, mood: str, log: Log) -> None:
    if kind == "smtp":
        asyncio.run(_mail_server(mood, log))
    else:
        server = Sendgrid(mood, log)
        print(server.url, flush=True)
        server.serve_forever(0.02)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Log(Path(sys.argv[3])))
