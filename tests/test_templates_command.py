"""`digest templates`: what is whose, what changed, and that nothing is overwritten."""

import pytest

from digest.renderer import bundled_templates
from digest.renderer.ejecting import Ownership, eject, standings


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """Templates that come with the program, which the test may change."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    for path in bundled_templates().glob("*.*"):
        (folder / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr("digest.renderer.bundled_templates", lambda: folder)
    return folder


def ownership(project, shipped, name="story.mjml"):
    found = {one.name: one.ownership for one in standings(project.root / "templates", shipped)}
    return found[name]


@pytest.mark.parametrize("name", sorted(path.name for path in bundled_templates().glob("*.*")))
def test_an_ejected_template_renders_the_same_message(project, run, name):
    asked = ("render", "--as", "*", "--at", "2026-11-19", "--format", "eml")
    before = run(*asked).out
    done = run("templates", "eject", name)
    after = run(*asked).out

    assert done.code == 0
    assert (project.root / "templates" / name).read_text().startswith("{# ejected from digest: ")
    assert after == before


def test_ejecting_overwrites_nothing(project, run):
    project.write("templates/story.mjml", "mine")
    done = run("templates", "eject", "story.mjml")

    assert done.code == 1
    assert "it is there already" in done.err
    assert (project.root / "templates/story.mjml").read_text() == "mine"


def test_an_unknown_template_is_named_with_the_nearest_one(project, run):
    done = run("templates", "eject", "storry.mjml")

    assert done.code == 1
    assert "did you mean story.mjml?" in done.err


@pytest.mark.parametrize(
    ("own", "ours", "expected"),
    [
        (None, "", Ownership.OURS),
        ("", "", Ownership.COPY),
        ("{# mine #}\n", "", Ownership.CURRENT),
        ("{# mine #}\n", "{# ours #}\n", Ownership.CHANGED),
        ("", "{# ours #}\n", Ownership.CHANGED),
    ],
)
def test_what_changed_since_says_whose_a_template_is(project, shipped, own, ours, expected):
    if own is not None:
        path = eject(project.root / "templates", shipped, "story.mjml")
        path.write_text(path.read_text() + own)
    place = shipped / "story.mjml"
    place.write_text(place.read_text() + ours)

    assert ownership(project, shipped) is expected


def test_a_template_without_a_note_is_yours(project, shipped):
    project.write("templates/story.mjml", "by hand")

    assert ownership(project, shipped) is Ownership.UNMARKED


def test_line_ends_of_a_checkout_are_no_change(project, shipped):
    path = eject(project.root / "templates", shipped, "story.mjml")
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    assert ownership(project, shipped) is Ownership.COPY


def test_check_tells_what_ours_left_behind_and_shows_the_difference(project, shipped, run):
    path = eject(project.root / "templates", shipped, "story.mjml")
    path.write_text(path.read_text().replace("22px", "24px"))
    assert run("templates", "check").code == 0

    place = shipped / "story.mjml"
    place.write_text(place.read_text() + "{# mended #}\n")
    done = run("templates", "check", "story.mjml")

    assert done.code == 3
    assert "ours has changed since you took it" in done.out
    assert "-{# mended #}" in done.out
    assert "24px" in done.out
    assert "templates/story.mjml:1: ours of story.mjml has changed" in run("check", "-v").out


def test_list_names_every_template(project, run):
    done = run("templates", "list")

    assert len(done.out.splitlines()) == len(list(bundled_templates().glob("*.*")))
    assert "story.mjml          ours" in done.out
