"""The page to look at an issue: complete, local, and safe from what posts and people contain."""

from html.parser import HTMLParser

AT = ("--at", "2026-11-20")


class Tags(HTMLParser):
    """The tags and links of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src") and value]


def page(project) -> str:
    return (project.root / "outbox/weekly-2026-11-19/index.html").read_text()


def test_every_edition_is_on_the_page_and_leads_to_a_file(project, run):
    run("send", *AT)

    links = [link for link in Tags(page(project)).links if link.startswith("editions/")]
    assert len(set(links)) == 3
    assert all((project.root / "outbox/weekly-2026-11-19" / link).is_file() for link in links)


def test_the_page_asks_nobody_for_anything(project, run):
    run("send", *AT)

    assert "script" not in Tags(page(project)).tags
    assert not [link for link in Tags(page(project)).links if "//" in link]


def test_titles_are_escaped(project, run):
    project.post(
        "evil", title="<script>alert(1)</script> & co", tags="#css", published="2026-11-19"
    )

    run("send", *AT)

    assert "script" not in Tags(page(project)).tags
    assert "&lt;script&gt;" in page(project)
