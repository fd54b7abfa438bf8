"""A real browser for tests: one way to start it, and what is wrong with a page that it shows."""

from collections.abc import Iterator
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from digest.chromium import find

_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run", "--disable-quic"),
)
SIZES = {375: 720, 1280: 900}
SCHEMES = ("light", "dark")
NARROWEST = 320


@contextmanager
def started(*flags: str) -> Iterator[Browser]:
    """The Chromium of this machine, driven by Playwright. No network of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=[*_FLAGS, *flags])
        try:
            yield browser
        finally:
            browser.close()


def violations(page: Page) -> list[str]:
    """What axe-core finds on a page, in a line each."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]


# Where a page's scripts are off no timer fires either, and axe-core waits for some of length zero.
_TIMERS = "window.setTimeout = (then, after, ...given) => (Promise.resolve(...given).then(then), 1)"
_SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
_FLAWS = f"""
async () => {{
  const inline = one => getComputedStyle(one).display === 'inline' && one.closest('p, li');
  const small = [...document.querySelectorAll('a, button, input, select, summary')].filter(one => {{
    const box = (one.closest('label') || one).getBoundingClientRect();
    return box.width && box.left > -1 && !inline(one) && box.height < 24;
  }});
  const bare = [...document.querySelectorAll('a')].filter(one => {{
    const look = getComputedStyle(one);
    const marked = look.textDecorationLine === 'underline' || parseFloat(look.borderTopWidth);
    return one.getBoundingClientRect().width && !marked;
  }});
  const found = await axe.run({{resultTypes: ['violations']}});
  return [
    ...found.violations.flatMap(one => one.nodes.map(node => one.id + ': ' + node.html)),
    ...small.map(one => 'small target: ' + one.outerHTML),
    ...bare.map(one => 'looks like no link: ' + one.outerHTML),
    ...({_SIDEWAYS} ? ['scrolls sideways'] : []),
  ];
}}
"""


def flaws(page: Page, scripts: bool = True) -> list[str]:
    """All that is wrong with a page in any of its looks; whether or not its own scripts may run."""
    page.evaluate(Axe().axe_script if scripts else _TIMERS + "\n" + Axe().axe_script)
    found = []
    for width, height in SIZES.items():
        for scheme in SCHEMES:
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=scheme)
            found += [f"{width} {scheme}: {flaw}" for flaw in page.evaluate(_FLAWS)]
    return [*found, *sideways(page)]


def sideways(page: Page) -> list[str]:
    """Says so when a page is wider than the narrowest screen there is, or than a telephone whose
    owner reads letters twice as large (WCAG 1.4.10 and 1.4.4)."""
    found = []
    page.wait_for_load_state()
    for width, letters in ((NARROWEST, ""), (375, "200%")):
        page.set_viewport_size({"width": width, "height": 640})
        page.evaluate("size => document.documentElement.style.fontSize = size", letters)
        found += [f"{width} {letters}: scrolls sideways"] if page.evaluate(_SIDEWAYS) else []
    page.evaluate("document.documentElement.removeAttribute('style')")
    return found
