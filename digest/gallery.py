"""An issue as a page to look at: every edition beside who gets it, as plain files.

`outbox/<issue>/index.html` opens in any browser, asks nobody for anything and needs no script.
"""

import shutil
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from digest.inline import plain
from digest.issues import Draft
from digest.models import Plan

INDEX = "index.html"
SHOWN = 60  # editions on the page, most readers first


def write_gallery(draft: Draft, plan: Plan, folder: Path) -> Path:
    """Write `index.html` and one HTML file per edition under `folder`; the index's path."""
    editions = folder / "editions"
    shutil.rmtree(editions, ignore_errors=True)  # of an earlier run, with other readers
    editions.mkdir(parents=True)
    shown, looked = plan.editions[:SHOWN], draft.uncounted
    for edition in shown:
        html = looked.sample(edition)
        (editions / f"{edition.id}.html").write_text(html, encoding="utf-8")
    environment = Environment(
        loader=PackageLoader("digest", "pages"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["plain"] = plain
    page = environment.get_template("gallery.html").render(
        newsletter=draft.config.newsletter, plan=plan, editions=shown, counted=draft.counted
    )
    index = folder / INDEX
    index.write_text(page, encoding="utf-8")
    return index
