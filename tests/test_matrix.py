"""`digest render --matrix`: a picture for every look, and a page of them."""

import re
import socket
import struct
import threading

import pytest

from digest import chromium
from digest.matrix import looks
from digest.models import Preferences
from tests.browsing import started, violations
from tests.project import SETTINGS

needs_chromium = pytest.mark.skipif(chromium.find() is None, reason="no Chromium here")


def size(png: bytes) -> tuple[int, int]:
    """Width and height, from the header."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_there_is_a_look_for_each_persona_light_and_width():
    found = looks({"ana": Preferences(), "a/b c": Preferences()})

    assert len({look.file for look in found}) == len(found) == 8
    assert {look.width for look in found} == {600, 375}
    assert all(re.fullmatch(r"[\w-]+-(600|375)-(light|dark)\.png", look.file) for look in found)


@needs_chromium
@pytest.mark.browser
def test_every_persona_is_drawn_and_who_gets_nothing_is_named(project, run):
    project.write("digest.toml", SETTINGS + '[personas.nobody]\ntags = ["gardening"]\n')
    done = run("render", "--matrix", "--at", "2026-11-19", "--out", "pictures")
    folder = project.root / "pictures"
    page = (folder / "index.html").read_text()

    assert done.code == 0, done.err
    assert "wrote 8 pictures" in done.err
    drawn = {path.name: size(path.read_bytes())[0] for path in folder.glob("*.png")}
    assert drawn == {
        f"{who}-{width}-{light}.png": width
        for who in ("ana", "everything")
        for width in (600, 375)
        for light in ("light", "dark")
    }
    assert all(name in page for name in drawn)
    assert "Gets nothing of this issue" in page


@needs_chromium
@pytest.mark.browser
def test_the_page_of_pictures_is_for_everybody(project, run):
    run("render", "--matrix", "--at", "2026-11-19", "--out", "pictures")
    with started("--allow-file-access-from-files") as opened:
        page = opened.new_page(viewport={"width": 375, "height": 800}, bypass_csp=True)
        page.goto((project.root / "pictures" / "index.html").as_uri())
        wide = page.evaluate("document.documentElement.scrollWidth")
        found = violations(page)

    assert wide == 375
    assert found == []


@needs_chromium
@pytest.mark.browser
def test_a_page_is_drawn_as_wide_as_asked_in_its_light_and_loads_nothing():
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]

        def listen() -> None:
            try:
                server.accept()[0].close()
                heard.append(port)
            except TimeoutError:
                pass

        listener = threading.Thread(target=listen)
        html = (
            "<style>body{margin:0;height:900px;background:#fff}"
            "@media (prefers-color-scheme:dark){body{background:#000}}</style>"
            f'<img src="http://localhost:{port}/x.png">'
        )
        with chromium.browser() as opened:
            listener.start()
            light = opened.picture(html, 375)
            dark = opened.picture(html, 375, dark=True)
            large = opened.picture(html, 320, scale=2)
        listener.join()

    assert size(light) == size(dark) == (375, 900)
    assert size(large) == (640, 1800)
    assert light != dark
    assert heard == []


def test_without_a_browser_the_fix_is_told(project, run, monkeypatch):
    monkeypatch.setattr(chromium, "find", lambda: None)
    done = run("render", "--matrix", "--at", "2026-11-19", "--out", "pictures")

    assert done.code == 1
    assert "apt install chromium" in done.err


@needs_chromium
def test_an_issue_that_nobody_gets_has_no_pictures_and_says_what_to_try(project, run):
    done = run("render", "--matrix", "--at", "2026-01-01", "--out", "pictures")

    assert done.code == 1
    assert "nobody gets anything of weekly-2026-01-01\n  try --at latest" in done.err
    assert not (project.root / "pictures").exists()


def test_pictures_need_a_folder(project, run):
    done = run("render", "--matrix", "--at", "2026-11-19")

    assert done.code == 2
    assert "--out pictures" in done.err
