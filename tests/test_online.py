"""Links are asked for once, gently, and never inside the network that this runs in."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest

from digest.checks.answers import Answer, addresses, check_answers
from digest.checks.places import Places
from digest.online import Asker, Limits, is_public
from tests.stories import story

HERE = "127.0.0.1"


class Site(ThreadingHTTPServer):
    """A site that says what its paths are called."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((HERE, 0), Page)
        self.asked: list[tuple[str, str]] = []  # host, path
        self.over = Event()

    def link(self, path: str, host: str = "site.example.com") -> str:
        return f"http://{host}:{self.server_port}{path}"


class Page(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.asked.append((self.headers["Host"].partition(":")[0], self.path))
        word = self.path.strip("/").partition("/")[0]
        if word == "slow":
            self.server.over.wait(20)
            return
        leads = {"to": self.path.removeprefix("/to/"), "loop": "/loop"}.get(word, "")
        if word == "drip":
            self.send_response(200)
            self.end_headers()
            with suppress(ConnectionError):
                while not self.server.over.wait(0.05):
                    self.wfile.write(b"x")
            return
        size = int(self.path.rpartition("/")[2]) if word == "bytes" else 100
        self.send_response(int(word) if word.isdecimal() else 302 if leads else 200)
        if leads:
            self.send_header("Location", leads)
        if word == "bytes":
            self.send_header("Content-Length", str(size))
        self.end_headers()
        with suppress(ConnectionError):  # who asks has read enough
            self.wfile.write(b"x" * size)

    def log_message(self, *_: object) -> None:
        """Quietly."""


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as served:
        thread = Thread(target=served.serve_forever, args=(0.02,))
        thread.start()
        yield served
        served.over.set()
        served.shutdown()
        thread.join()


@pytest.fixture
def asker() -> Asker:
    """Knows a site that is here and a name that leads inside."""
    names = {"site.example.com": HERE, "other.example.org": HERE, "inside.example.com": "10.1.2.3"}
    return Asker(
        resolver=lambda host, port: [names.get(host, host)],
        allowed=lambda address: address == HERE,
        limits=Limits(seconds=5, redirects=3),
    )


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254"),
        *("0.0.0.0", "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1"),
        *("fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1"),
        *("2002:7f00:1::", "localhost", ""),
    ],
)
def test_an_address_that_is_not_public_is_refused(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34"])
def test_a_public_address_may_be_asked(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "link", ["http://localhost/", "http://127.0.0.1/", "http://2130706433/", "https://[::1]/"]
)
def test_by_default_nothing_here_is_asked(link):
    assert Asker().answer(link).private


@pytest.mark.parametrize("path", ["/fine", "/404/x", "/503/x", "/403/x"])
def test_a_site_is_asked_and_its_answer_kept(site, asker, path):
    answer = asker.answer(site.link(path))

    assert answer.status == (int(path[1:4]) if path[1].isdecimal() else 200)
    assert ("site.example.com", path) in site.asked


def test_a_redirect_is_followed_to_where_it_ends(site, asker):
    answer = asker.answer(site.link(f"/to/{site.link('/fine', 'other.example.org')}"))

    assert answer == Answer(200, site.link("/fine", "other.example.org"))


@pytest.mark.parametrize("inside", ["http://inside.example.com/admin", "http://192.168.0.1/"])
def test_a_redirect_into_a_private_network_is_not_followed(site, asker, inside):
    answer = asker.answer(site.link(f"/to/{inside}"))

    assert answer.private
    assert answer.address == inside


def test_a_redirect_to_what_is_no_web_address_ends_there(site, asker):
    assert "no web address" in asker.answer(site.link("/to/file:///etc/passwd")).problem


def test_a_name_with_one_private_address_among_others_is_refused(site):
    both = Asker(
        resolver=lambda host, port: [HERE, "10.0.0.1"], allowed=lambda address: address == HERE
    )

    assert both.answer(site.link("/fine")).private
    assert site.asked == []


def test_a_name_is_looked_up_once_and_that_address_is_connected_to(site):
    answers = iter([[HERE], ["10.0.0.1"], ["10.0.0.1"]])
    lookups: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        lookups.append(host)
        return next(answers)

    one = Asker(resolver=rebinding, allowed=lambda address: address == HERE)
    reply = one._get(site.link("/fine"), time.monotonic() + 5, 0)

    assert reply.status == 200
    assert lookups == ["site.example.com"]


def test_endless_redirects_end(site, asker):
    answer = asker.answer(site.link("/loop"))

    assert answer.problem == "more than 3 redirects"
    assert len(site.asked) == 4


def test_a_site_that_does_not_answer_is_given_up(site, asker):
    asker.limits = Limits(seconds=0.2)

    assert asker.answer(site.link("/slow")).problem == "no answer in time"


def test_a_site_that_is_not_there_is_told(asker):
    assert "ConnectionRefusedError" in asker.answer("http://site.example.com:1/").problem


def test_each_link_is_asked_for_once_and_no_more_than_the_limit(site, asker):
    asker.limits = Limits(seconds=5, links=5)
    links = [site.link(f"/page/{n}") for n in range(9)] * 2
    answers = asker.ask(links)

    plain = Counter(path for _, path in site.asked)
    assert list(answers) == links[:5]
    assert max(plain.values()) == 1


@pytest.mark.parametrize("size", [0, 1000, 1_000_001, 9_000_000])
def test_of_a_picture_a_megabyte_is_read_and_its_whole_size_told(site, asker, size):
    link = site.link(f"/to/{site.link(f'/bytes/{size}')}")
    (found,) = asker.pictures([link, link]).values()

    assert (found.answer.status, found.size) == (200, size)
    assert len(found.data) == min(size, 1_000_001)


def test_a_picture_that_drips_is_given_up(site, asker):
    asker.limits = Limits(seconds=0.3)
    (found,) = asker.pictures([site.link("/drip")]).values()

    assert found.answer.problem == "no answer in time"


def test_a_picture_inside_the_network_is_not_asked_for(site, asker):
    (found,) = asker.pictures(["http://inside.example.com/a.png"]).values()

    assert found.answer.private
    assert site.asked == []


POST = {"/content/a.md": ""}


@pytest.mark.parametrize(
    ("answer", "check", "words"),
    [
        (Answer(404, "https://a.example.com/x"), "link/dead", "answers 404"),
        (Answer(410, "https://a.example.com/x"), "link/dead", "answers 410"),
        (Answer(503, "https://a.example.com/x"), "link/unreachable", "answers 503"),
        (Answer(403, "https://a.example.com/x"), "link/refused", "to a program"),
        (Answer(0, "https://a.example.com/x", "no answer in time"), "link/unreachable", "in time"),
        (Answer(200, "https://b.example.org/y?me=1"), "link/redirect", "https://b.example.org/y"),
        (Answer(0, "http://10.0.0.1/", private=True), "link/private", "by way of a.example.com"),
    ],
)
def test_an_answer_becomes_a_finding_at_the_line_of_the_link(answer, check, words):
    target = "https://a.example.com/x"
    one = story("one", link=target)
    places = Places({one.post: "---\n---\n# One\n\n**Link:** [x](https://a.example.com/x)\n"})
    (finding,) = check_answers([one], places, {target: answer})

    assert (finding.check, finding.line) == (check, 5)
    assert words in str(finding)
    assert "me=1" not in str(finding)


def test_a_good_answer_is_no_finding():
    one = story("one", link="https://a.example.com/x")
    answers = {one.link: Answer(200, "https://www.example.com/x")}

    assert addresses([one]) == [one.link]
    assert not list(check_answers([one], Places(), answers))


def test_check_online_tells_what_is_dead(project, run, site, asker, monkeypatch):
    monkeypatch.setattr("digest.online.Asker", lambda: asker)
    project.post("gone", tags="#ai")
    place = project.root / "content" / "gone.md"
    text = place.read_text().replace("https://example.com/gone", site.link("/404/gone"))
    place.write_text(text)
    line = next(n for n, row in enumerate(text.splitlines(), 1) if "/404/gone" in row)
    offline, online = run("check", "content/gone.md"), run("check", "content/gone.md", "--online")

    assert "link/dead" not in offline.out
    assert f"content/gone.md:{line}: link: " in online.out
    assert "link/dead" in online.out
    assert online.code == 3
