"""The studio in a real browser: somebody writes, looks, breaks something and mends it."""

import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from digest.studio.serving import Server, listen
from digest.studio.workshop import Workshop
from tests.browsing import violations

pytestmark = pytest.mark.browser

BEHIND = """
part => getComputedStyle(document.querySelector('iframe.front').contentDocument.querySelector(part))
  .backgroundColor
"""
MARKER = """
() => getComputedStyle(document.querySelector('iframe.front').contentDocument.querySelector('li'),
  '::marker').color
"""
PANELS = ["Stories", "Checks", "Inbox", "Size", "Links", "Headers", "Clients", "Changes"]


@contextmanager
def serving(opening):
    """The studio on a port of its own, as the command runs it; its address."""
    started = threading.Event()
    listening = listen(0)
    server = Server(Workshop(opening), started.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    assert started.wait(30)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        server.stop()
        thread.join(30)
        assert not thread.is_alive()
        listening.close()


@pytest.fixture
def studio(chromium, opening):
    """An open studio. In the end nothing was asked of anybody else: what a template may have
    asked for was refused by the page's own policy, before it left the browser."""
    with serving(replace(opening, readers=None)) as address:
        context = chromium.new_context(viewport={"width": 1440, "height": 900})
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.asked, page.refused, page.failed = [], {}, []

        def refused(request):
            page.refused[request.url] = request.failure

        page.on("requestfinished", lambda request: page.asked.append(request.url))
        page.on("requestfailed", refused)
        page.on("pageerror", lambda error: page.failed.append(str(error)))
        page.on("console", lambda told: told.type == "error" and page.failed.append(told.text))
        page.address = address
        page.goto(address)
        shows(page, "About agents")
        yield page
        context.close()
        own = (address, "data:", "about:")
        assert all(url.startswith(own) for url in page.asked)
        assert {why for url, why in page.refused.items() if not url.startswith(own)} <= {"csp"}


def mail(page):
    return page.frame_locator("iframe.front")


def shows(page, text):
    mail(page).get_by_text(text).locator("visible=true").first.wait_for()


def close(page):
    """Escape closes a dialog in its own time."""
    page.keyboard.press("Escape")
    page.locator("dialog[open]").wait_for(state="detached")


def save(project, path, old, new):
    file = project.root / path
    file.write_text(file.read_text().replace(old, new))


def test_another_reader_is_shown_and_is_in_the_address(studio):
    studio.get_by_role("navigation").get_by_role("button", name="smallest edition").click()
    studio.wait_for_url("**as=smallest**")
    studio.reload()
    studio.locator(".role[aria-current]", has_text="smallest edition").wait_for()
    studio.go_back()

    shows(studio, "About agents")


def test_a_saved_post_is_shown_without_a_reload(studio, project):
    studio.evaluate("window.same = true")
    save(project, "content/agents.md", "in one sentence", "in a better sentence")
    shows(studio, "in a better sentence")

    assert studio.evaluate("window.same")
    assert "content/agents.md" in studio.locator("#said").inner_text()


def test_a_broken_template_is_told_over_the_last_good_mail_until_it_is_mended(studio, project):
    project.write("templates/story.mjml", "<mj-text>\n{{ story.titel }}</mj-text>")
    told = studio.get_by_role("alert")
    told.get_by_text("templates/story.mjml:2").wait_for()

    assert "did you mean `title`" in told.inner_text()
    shows(studio, "About agents")
    project.write("templates/story.mjml", "<mj-text>{{ story.title }} is mended</mj-text>")
    shows(studio, "About agents is mended")
    assert told.is_hidden()


def test_a_broken_post_is_told_with_its_line(studio, project):
    save(project, "content/ferry.md", '"2026-11-17"', '"the seventeenth"')

    studio.get_by_role("alert").get_by_text("content/ferry.md:3").wait_for()


def test_a_broken_configuration_is_told_and_mended(studio, project):
    save(project, "digest.toml", "[newsletter]", "[newsletter]\ncolour = 1")
    studio.get_by_role("alert").get_by_text("colour").wait_for()
    save(
        project, "digest.toml", '\ncolour = 1\nname = "Platform Weekly"', '\nname = "Harbour News"'
    )

    studio.get_by_role("heading", level=1, name="Harbour News").wait_for()
    assert studio.get_by_role("alert").is_hidden()


def test_dark_phone_and_text_are_shown(studio):
    studio.get_by_role("button", name="Dark", exact=True).click()
    studio.locator("body[data-shown*=dark]").wait_for()
    assert studio.evaluate(BEHIND, ".page") == "rgb(15, 17, 21)"

    studio.get_by_role("button", name="375").click()
    expect(studio.locator("iframe.front")).to_have_css("width", "375px")

    studio.get_by_role("button", name="Text", exact=True).click()
    assert "ABOUT AGENTS" in studio.locator("#reading pre").inner_text().upper()


def test_forced_inversion_makes_a_light_mail_dark(studio):
    studio.get_by_role("button", name="Forced").click()
    studio.locator("body[data-shown*=forced]").wait_for()
    lightness = studio.evaluate(BEHIND, "body")

    assert lightness.startswith("lab(")
    assert float(lightness[4:].split()[0]) < 20


def test_forced_inversion_reaches_the_numbers_of_lists(studio):
    studio.goto(studio.address + "?as=largest&scheme=forced")
    studio.locator("body[data-shown*=forced]").wait_for()
    colour = studio.evaluate(MARKER)

    assert float(colour.removeprefix("lab(").split()[0]) > 50, colour


@pytest.mark.parametrize("source", ["MJML", "HTML", "Message"])
def test_sources_are_shown(studio, source):
    studio.get_by_role("button", name="Source").click()
    studio.get_by_role("button", name=source, exact=True).click()

    begin = {"MJML": "<mjml", "HTML": "<!doctype html", "Message": "From:"}[source]
    studio.locator("#reading pre", has_text=begin).wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_panel_opens_and_is_accessible(studio, scheme):
    studio.emulate_media(color_scheme=scheme)
    for panel in PANELS:
        studio.get_by_role("tab", name=panel).click()
        studio.locator("#panel h2, #panel p, #panel li, #panel dt").first.wait_for()
        assert violations(studio) == [], panel


@pytest.mark.parametrize("query", ["?as=nobody", "?view=source", "?scheme=forced&width=375"])
def test_every_state_is_accessible(studio, query):
    studio.goto(studio.address + query)
    studio.locator("#nothing h2, #reading pre, iframe.front").first.wait_for()

    assert violations(studio) == []


def test_dialogs_are_accessible(studio):
    for key, dialog in {"/": "Commands", "?": "Keys", "m": "Send yourself a test"}.items():
        studio.keyboard.press(key)
        studio.get_by_role("dialog", name=dialog).wait_for()
        assert violations(studio) == []
        close(studio)


def test_the_keyboard_alone_is_enough(studio):
    press = studio.keyboard.press
    press("]")
    studio.wait_for_url("**as=**")
    press("d")
    studio.wait_for_url("**scheme=dark**")
    press("1")
    studio.wait_for_url("**width=375**")
    press("p")
    studio.wait_for_url("**panel=checks**")
    press("t")
    studio.locator("#reading pre").wait_for()
    press("Control+k")
    studio.keyboard.type("tag kubernetes")
    press("Enter")
    studio.wait_for_url("**as=tags%3Akubernetes**")
    press("t")

    shows(studio, "About ferry")


def test_a_panel_that_is_asked_for_has_the_keyboard_and_can_be_skipped_to(studio):
    studio.keyboard.press("Control+k")
    studio.keyboard.type("panel links")
    studio.keyboard.press("Enter")
    expect(studio.locator("#panel")).to_be_focused()

    for name in ("Skip to the mail", "Skip to the panels"):
        skip = studio.get_by_role("link", name=name)
        skip.focus()
        studio.keyboard.press("Enter")
        expect(studio.locator(skip.get_attribute("href"))).to_be_focused()


def test_any_number_of_pages_is_live_and_the_first_may_be_closed(studio, project):
    """A browser gives a host six connections, and every stream of saves holds one."""
    pages = [studio.context.new_page() for _ in range(7)]
    for page in pages:
        page.goto(studio.address)
        shows(page, "About agents")
    first, last = pages[0], pages[-1]
    save(project, "content/agents.md", "About agents", "About many pages")
    shows(first, "About many pages")
    shows(last, "About many pages")
    studio.goto("about:blank")
    save(project, "content/agents.md", "About many pages", "About one page less")

    shows(last, "About one page less")
    expect(last.locator("#live-text")).to_have_text("live")
    studio.goto(studio.address)


def test_a_reader_who_is_not_there_is_told_and_leaves_the_address(studio):
    studio.goto(studio.address + "?as=somebody")

    studio.get_by_text("There is no reader somebody here: this is ana.").wait_for()
    assert "somebody" not in studio.url


def test_a_panel_asks_again_when_it_was_not_answered(studio):
    studio.route("**/checks?*", lambda route: route.fulfill(status=500, body="no"))
    studio.goto(studio.address + "?panel=checks")
    studio.get_by_text("Looking…").wait_for()
    studio.unroute("**/checks?*")
    studio.get_by_role("tab", name="Inbox").click()
    studio.get_by_role("tab", name="Checks").click()

    expect(studio.get_by_text("Looking…")).to_have_count(0)
    studio.failed.clear()  # the answer that this test gave


def test_keys_typed_into_a_field_are_text_and_can_be_switched_off(studio):
    studio.get_by_label("Or anyone who follows").press_sequentially("d")
    studio.get_by_label("Or anyone who follows").blur()
    studio.keyboard.press("?")
    studio.get_by_label("Single keys work").uncheck()
    close(studio)
    studio.keyboard.press("d")

    assert "scheme" not in studio.url


@pytest.mark.parametrize("width", [320, 375])
def test_a_telephone_is_wide_enough(studio, width):
    studio.set_viewport_size({"width": width, "height": 720})
    studio.get_by_role("link", name="Panels", exact=True).click()
    expect(studio.get_by_role("tab", name="Stories")).to_be_in_viewport()
    studio.get_by_role("link", name="Back to the mail").click()
    expect(studio.locator("#inbox")).to_be_in_viewport()
    for panel in PANELS:
        studio.get_by_role("tab", name=panel).click()
        assert studio.evaluate("document.documentElement.scrollWidth") <= width, panel


def test_a_link_of_the_mail_is_told_and_not_followed(studio):
    mail(studio).get_by_role("link", name="About agents").first.click()

    studio.locator("#toast", has_text="https://blog.example.com/agents/").wait_for()
    shows(studio, "About agents")


def test_whatever_a_template_asks_for_reaches_nobody(studio, project):
    """The fixture watches every request: no picture, no style sheet's picture leaves."""
    project.write(
        "templates/story.mjml",
        "<mj-text>{{ story.title }} hostile"
        '<div style="background:url(https://evil.example/1.png)">'
        '<img src="https://evil.example/2.png" srcset="https://evil.example/3.png" alt="a map">'
        "</div></mj-text>",
    )
    shows(studio, "About agents hostile")
    shows(studio, "a map — not fetched")


def test_a_test_is_sent_to_the_address_that_is_typed(studio, project):
    studio.get_by_role("button", name="Send a test").click()
    studio.get_by_label("To", exact=True).fill("you@example.com")
    studio.get_by_role("button", name="Send [TEST]").click()
    studio.locator("#send-said", has_text="handed to outbox").wait_for()

    assert len(list((project.root / "outbox").rglob("*.eml"))) == 1


def test_the_slider_moves_through_time(studio):
    studio.get_by_role("slider", name="Issue").focus()
    studio.keyboard.press("Home")

    studio.wait_for_url("**issue=weekly-2026-11-05**")
    shows(studio, "About old")


def test_nothing_goes_wrong_in_the_script(studio, project):
    studio.get_by_role("button", name="Later issue").click()
    studio.get_by_text("There is no story in this window yet").wait_for()
    project.post("fresh", tags="#ai", published="2026-11-20")
    shows(studio, "About fresh")

    assert studio.failed == []
