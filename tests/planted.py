"""Faults, one for each check, and where each was put."""

from dataclasses import dataclass

GOOD = {
    "title": "Queues that drain by themselves",
    "date": "2026-11-16",
    "tags": "#ai #python",
    "tldr": "What happened with the queue, in one sentence of usual length.",
    "takeaways": "- The first thing to know\n- The second thing to know",
    "link": "**Link:** [The original](https://example.com/queues)",
    "front": "",
    "more": "",
}
POST = """\
---
title: "{title}"
publishedAt: "{date}"
{front}hashtags: "{tags}"
---

## {title}

**TLDR:** {tldr}

**Key takeaways:**
{takeaways}

{link}
{more}"""


@dataclass(frozen=True)
class Plant:
    """A post with one fault; `needle` is on the line that the finding must name."""

    check: str
    needle: str
    fields: dict[str, str]
    text: str = ""  # the whole file instead

    @property
    def name(self) -> str:
        return self.check.replace("/", "-")

    @property
    def source(self) -> str:
        fields = GOOD | {"title": f"A story about {self.name}"} | self.fields
        return self.text or POST.format(**fields)

    @property
    def line(self) -> int:
        """The last line that holds the needle: front matter says a title before its heading."""
        lines = self.source.splitlines()
        return max((n for n, line in enumerate(lines, 1) if self.needle in line), default=0)


def plant(check: str, needle: str, text: str = "", **fields: str) -> Plant:
    return Plant(check, needle, fields, text)


def linked(address: str, words: str = "the account") -> dict[str, str]:
    return {"takeaways": f"- Read [{words}]({address}) of it\n- And a second thing to know"}


HEAD = '---\ntitle: "{}"\npublishedAt: "2026-11-16"\nhashtags: "#ai"\n---\n'
POSTS = (
    plant("content/placeholder", "TODO:", tldr="TODO: say what happened to the queue."),
    plant("content/template", "*|FNAME|*", tldr="Dear *|FNAME|*, the queue has drained today."),
    plant(
        "content/tldr",
        "## No summary",
        HEAD.format("No summary") + "## No summary\n\n**Key takeaways:**\n- One thing\n",
    ),
    plant("content/long-tldr", "word word", tldr="word " * 81),
    plant("content/takeaways", "- Thing 0", takeaways="\n".join(f"- Thing {n}" for n in range(9))),
    plant(
        "content/no-takeaways",
        "## Bare",
        HEAD.format("Bare facts") + "## Bare facts\n\n**TLDR:** The queue has drained at last.\n",
    ),
    plant("content/title-length", "## Long", title="Long " + "and longer " * 11),
    plant("content/shouting", "## THE", title="THE QUEUE IS ON FIRE TODAY"),
    plant("content/punctuation", "## Drained", title="Drained at last!!!"),
    plant("content/spam-phrase", "risk-free", tldr="A risk-free way to drain the queue quickly."),
    plant("content/attachment", "attached file", tldr="See the attached file for the numbers."),
    plant("content/markdown", "**never closed", tldr="The queue is **never closed in this text."),
    plant("content/html", "<b>", title="The queue is <b>empty</b> at last"),
    plant("content/entity", "&amp;amp;", tldr="Queues &amp;amp; stacks, compared for one team."),
    plant("content/mojibake", "â€™", tldr="The queueâ€™s end was near, and nobody saw it."),
    plant(
        "content/repeated", "- The same again.", takeaways="- The same again\n- The same again."
    ),
    plant("content/same-title", "## Twice told", title="Twice told"),
    plant("link/syntax", "https://https://", **linked("https://https://example.com/x")),
    plant("link/relative", "(/posts/queue)", **linked("/posts/queue")),
    plant("link/scheme", "javascript:", **linked("javascript:alert(1)")),
    plant("link/private", "10.0.0.7", **linked("https://10.0.0.7/wiki")),
    plant("link/credentials", "ana:secret", **linked("https://ana:secret@example.com/x")),
    plant(
        "link/disguised",
        "bank.example.com",
        **linked("https://evil.example.net/", "bank.example.com/login"),
    ),
    plant("link/http", "http://example.com/plain", **linked("http://example.com/plain")),
    plant("link/shortener", "bit.ly", **linked("https://bit.ly/3xyz")),
    plant("link/tracker", "substack.com/redirect", **linked("https://substack.com/redirect/a1b2")),
    plant("link/campaign", "utm_source", **linked("https://example.com/x?utm_source=news")),
    plant("link/ip", "93.184.216.34", **linked("https://93.184.216.34/x")),
    plant("link/lookalike", "xn--", **linked("https://xn--pypal-4ve.com/login")),
    plant("link/long", "aaaaaaaa", **linked("https://example.com/" + "a" * 300)),
    plant("link/trailing", "/end.", **linked("https://example.com/end.")),
    plant("link/vague", "[click here]", **linked("https://example.com/v", "click here")),
    plant(
        "link/same-words",
        "/two)",
        takeaways="- See [the paper](https://example.com/one)\n"
        "- Or [the paper](https://example.com/two)",
    ),
    plant(
        "link/repeated",
        "- Again",
        takeaways="- See [a report](https://example.com/rep)\n"
        "- Again [its pages](https://example.com/rep)",
    ),
    plant("tag/none", "hashtags:", tags="#en"),
    plant("tag/near", "hashtags:", tags="#kuberntes"),
    plant("tag/plural", "hashtags:", tags="#agent"),
    plant("tag/many", "hashtags:", tags=" ".join(f"#topic{n}x" for n in range(17))),
    plant("story/label", "TLDR: not", tldr="", text=(
        HEAD.format("Not bold") + "## Not bold\n\nTLDR: not bold at all\n\n"
        "**Key takeaways:**\n- One thing\n")),
    plant("story/unlabelled", "## Forgotten", more="\n## Forgotten part\n\nNobody reads this.\n"),
    plant("story/link", "**Link:**", link="**Link:** [The original](example)"),
    plant("content/empty", "\0", text="\n\n"),
    plant("front-matter/none", "# No front", text="# No front matter\n\n**TLDR:** None.\n"),
    plant("front-matter/syntax", 'title: "', text='---\ntitle: "open\ndate: 2026-11-16\n---\nT\n'),
    plant("front-matter/title", "---", text="---\ndate: 2026-11-16\n---\nText without a title.\n"),
    plant("front-matter/date", "publishedAt", text="---\ntitle: T\npublishedAt: soon\n---\nT.\n"),
    plant("front-matter/undated", "---", text="---\ntitle: Undated\n---\n**TLDR:** When?\n"),
    plant("front-matter/duplicate-key", "slug: b", front="slug: a\nslug: b\n"),
    plant("front-matter/tag-spaces", "hashtags:", tags="machine learning tools"),
    plant("front-matter/flag", "draft:", front="draft: perhaps\n"),
)  # fmt: skip
# Line 1 is where these are told, wherever their needle is.
AT_THE_TOP = {"front-matter/none", "front-matter/title", "front-matter/undated"}

# Put into a message at its end and into its template on one line: (check, what).
FRAGMENTS = (
    ("rendering/active", "<form action='https://news.example.com/x'></form>"),
    ("rendering/nesting", "<div><b>never closed</div>"),
    ("rendering/mjml", "<mj-spacr>x</mj-spacr>"),
    ("rendering/black", '<p style="color:#000000">invisible in the dark</p>'),
    ("image/alt", '<img src="https://news.example.com/a.png" width="20">'),
    ("image/alt-name", '<img src="https://news.example.com/a.png" width="20" alt="IMG_20.jpg">'),
    ("image/width", '<img src="https://news.example.com/a.png" alt="A queue">'),
    ("image/format", '<img src="https://news.example.com/a.svg" width="20" alt="A queue">'),
    ("image/data", '<img src="data:image/png;base64,AAAA" width="20" alt="A queue">'),
    ("accessibility/lang", '<p lang="english language">Words</p>'),
    ("accessibility/role", '<table class="planted"><tr><td>x</td></tr></table>'),
    ("accessibility/heading", "<h1>Another newsletter</h1>"),
    ("accessibility/contrast", '<p style="color:#bbbbbb">Pale words on white</p>'),
    (
        "accessibility/contrast-forced",
        '<p style="color:#6a6a6a;background:#f0f0f0">Grey words on light grey</p>',
    ),
    ("accessibility/text-size", '<p style="font-size:11px">Small print</p>'),
    ("accessibility/line-height", '<p style="font-size:16px;line-height:17px">Tight</p>'),
    ("accessibility/justified", '<p style="text-align:justify">Rivers of white</p>'),
    ("accessibility/empty-link", '<a href="https://news.example.com/empty"></a>'),
    (
        "accessibility/link-mark",
        '<p>Read <a href="https://news.example.com/n" style="text-decoration:none">it</a> now</p>',
    ),
    ("privacy/third-party", '<img src="https://cdn.example.org/a.png" width="20" alt="A queue">'),
    ("privacy/pixel", '<img src="https://news.example.com/o.gif" width="1" height="1" alt="">'),
    (
        "privacy/address-in-link",
        '<a href="https://news.example.com/?who=reader@example.com">Your page</a>',
    ),
    (
        "privacy/fixed-token",
        '<a href="https://news.example.com/p/' + "A" * 34 + '">Your preferences</a>',
    ),
    ("privacy/handler", '<p onclick="alert(1)">Words</p>'),
    ("personal/leftover", "<p>Hi ,</p>"),
    ("personal/slot", "<p>{{ salutaton }}</p>"),
    ("personal/date", "<p>Our next issue: 3/12/2026</p>"),
    ("personal/date", "<p>We meet on the 3rd December 2026.</p>"),
    ("personal/date", "<p>We meet on December 3, 2026.</p>"),
    ("personal/date", "<p>Najbliższe spotkanie: 3 grudnia 2026</p>"),
    ("personal/date", "<p>Made on 2026-11-19</p>"),
    ("rendering/support", '<div style="display:flex">side by side</div>'),
)

# Changed in the HTML of a message: (check, what, into what).
CHANGES = (
    ("accessibility/dir", ' dir="ltr"', ""),
    ("accessibility/title", "<title>", "<title></title><style>"),
    ("rendering/style", "</style>", "p{color:red</style>"),
    ("privacy/remote-font", "</style>", "@import url(https://fonts.example.org/a);</style>"),
)

# Changed in the header of a message: (check, what, into what).
HEADERS = (
    ("header/one-click", b"List-Unsubscribe-Post: ", b"X-Post: "),
    ("header/list-unsubscribe", b"List-Unsubscribe: <", b"List-Unsubscribe: <mailto:a@b> <"),
    ("header/required", b"Message-ID: ", b"X-Id: "),
    ("header/repeated", b"Date: ", b"Subject: another\r\nDate: "),
    ("header/line", b"Precedence: bulk", b"Precedence: " + b"b" * 1000),
    ("header/ascii", b"Precedence: bulk", "Precedence: żółć".encode()),
    ("header/list-id", b"List-Id: ", b"List-Id: no brackets\r\nX: "),
)
