"""A mistake in a project's template is told by file and line, and never ends the process."""

import pytest

from digest.errors import TemplateError
from digest.models import Severity
from digest.renderer import Renderer, bundled_templates
from tests import invented
from tests.invented import ISSUE

STORIES = invented.stories(2)
SHELL = (bundled_templates() / "digest.mjml").read_text()
TITLE = SHELL[: SHELL.index("<mj-title>")].count("\n") + 1
TEXT = "<mj-text>{{ story.title }}</mj-text>\n"


@pytest.fixture
def mistake(tmp_path):
    """Put one template into a project and get the TemplateError of compiling with it."""

    def made(name: str, source: str | bytes) -> TemplateError:
        folder = tmp_path / "templates"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(source if isinstance(source, bytes) else source.encode())
        with pytest.raises(TemplateError) as caught:
            Renderer(folder, invented.settings(tmp_path)).compile(STORIES, ISSUE, "en")
        return caught.value

    return made


@pytest.mark.parametrize(
    ("source", "line", "said"),
    [
        (TEXT + "{% if %}", 2, "Expected an expression"),
        (TEXT + "{{ story.titel }}", 2, "story has no `titel`; did you mean `title`?"),
        (TEXT + "{{ story.price }}", 2, "story has no `price`; it has title, tldr,"),
        (
            '{% import "theme.jinja" as theme %}\n{{ theme.acent }}',
            2,
            "theme.jinja has no `acent`; did you mean `accent`?",
        ),
        (TEXT + "{{ newsleter }}", 2, "no `newsleter`; did you mean `newsletter`?"),
        (TEXT + "{{ subject }}", 2, "`subject` is not given to this template"),
        (TEXT + "\n{{ nothing }}", 3, "this template has no `nothing`; it has address,"),
        (TEXT + "{% for x in story.tags %}", 2, "endfor"),
        (TEXT + "{{ 1 + story.title }}", 2, "TypeError"),
        (TEXT + '\n\n{% include "missing.mjml" %}', 4, "there is no template `missing.mjml`"),
        (TEXT + "<mj-txt>x</mj-txt>", 2, "unknown tag <mj-txt>"),
        (TEXT + "<p>x</p>", 2, "<p> cannot stand directly in <mj-column>"),
        (TEXT + "<mj-section></mj-section>", 2, "<mj-section> cannot stand in <mj-column>"),
        (TEXT + '<mj-text colour="red">x</mj-text>', 2, "<mj-text> has no attribute `colour`"),
        (TEXT + "<mj-text color='red'>x</mj-text>", 2, "`color` needs a value in double quotes"),
        (TEXT + "<mj-text color=red>x</mj-text>", 2, "`color` needs a value in double quotes"),
        (TEXT + '<mj-text\n  color="\nred">x</mj-text>', 3, "`color` goes over a line end"),
        (TEXT + "<mj-text>x", 2, "<mj-text> is never closed"),
        (TEXT + "<mj-text>\n<p>x</mj-text>", 3, "</mj-text> comes before </p> of line 3"),
        (TEXT + "</mj-text>", 2, "</mj-text> closes nothing"),
        (TEXT + "<mj-text>1 < 2</mj-text>", 2, "a bare `<`"),
        (TEXT + "<mj-text>\n<script>x()</script></mj-text>", 3, "<script> cannot be used"),
        (TEXT + '<mj-include path="x.mjml" />', 2, "<mj-include> cannot be used"),
        (TEXT + '<mj-text font-family="Roboto">x</mj-text>', 2, "the font roboto would be loaded"),
        (TEXT + '<mj-text><a href="{{ story.url }}">x</a></mj-text>', 2, "may break it"),
        (TEXT + "{% for x in range(10 ** 9) %}x{% endfor %}", 2, "range(1000000000): loops may"),
        (TEXT + "{{ 'x' * 10 ** 9 }}", 2, "`*` would make more than 100,000 characters"),
        (TEXT + "\n{{ 1000000000 * 'x' }}", 3, "`*` would make more than 100,000"),
        (TEXT + "{{ [1] * 10 ** 9 }}", 2, "`*` would make more than"),
        (TEXT + "{{ 9 ** 1000000000 }}", 2, "`**` would make more than"),
        (TEXT + "{{ '%999999999d' % 1 }}", 2, "%: a width may be 99,999 at most"),
        (TEXT + "{{ '%999999999d'|format(1) }}", 2, "format: a width may be"),
        (TEXT + "{{ '{:999999999}'.format(1) }}", 2, "format: a width may be"),
        (TEXT + "{{ 'x'|center(10 ** 9) }}", 2, "center: 1000000000 is more than 100,000"),
        (TEXT + "{{ 'x'|center(1000000000) }}", 2, "center: 1000000000 is more than"),
        (TEXT + "{{ 'x'.ljust(10 ** 9) }}", 2, "ljust: 1000000000 is more than"),
        (TEXT + "{{ 'x'|indent(width=10 ** 9) }}", 2, "indent: 1000000000 is more than"),
        (TEXT + "{{ [1]|batch(10 ** 9, 0)|list }}", 2, "batch: 1000000000 is more than"),
        (TEXT + "{{ lipsum(10 ** 9) }}", 2, "lipsum: 1000000000 is more than"),
        (TEXT + "{% for x in range(10 ** 20) %}x{% endfor %}", 2, "loops may count to 10,000"),
        (
            TEXT + "{% for x in range(9000) %}\n{% for y in range(9000) %}{% endfor %}{% endfor %}",
            3,
            "range(9000): loops may count to 10,000 together",
        ),
        ("{% for x in range(3) %}<mj-text>{% endfor %}", 1, "this loop opens or closes a tag"),
    ],
)
def test_mistake_in_a_template_names_file_and_line(mistake, source, line, said):
    error = mistake("story.mjml", source)

    assert said in str(error)
    assert (error.path, error.line) == ("templates/story.mjml", line)


@pytest.mark.parametrize(
    ("name", "source", "line", "said"),
    [
        ("digest.mjml", SHELL.replace("{{ more }}", ""), 0, "{{ more }} is shown 0 times"),
        (
            "digest.mjml",
            SHELL.replace("{{ more }}", "{{ stories }}"),
            0,
            "{{ stories }} is shown 2",
        ),
        ("digest.mjml", SHELL.replace("unsubscribe_url", "pause_url"), 0, "no unsubscribe link"),
        ("digest.mjml", SHELL.replace("{{ intro }}", "{{ intro | upper }}"), 0, "was changed"),
        ("digest.mjml", SHELL + "\nmore", SHELL.count("\n"), "text after </mjml>"),
        ("digest.mjml", SHELL.replace("<mj-title>", "<mj-titel>"), TITLE, "unknown tag <mj-titel>"),
        ("digest.mjml", SHELL.replace("{{ subject }}", "{{ newsletter }}"), TITLE, "may break it"),
        ("digest.txt", "{{ contents }}{{ stories }}{{ more }}", 0, "no unsubscribe link"),
        ("story.txt", "{{ story.title }}\n{{ story.nothing }}", 2, "story has no `nothing`"),
        (
            "contents.mjml",
            "<mj-text>Stories</mj-text>",
            0,
            "{{ items }} must be shown exactly once",
        ),
        ("more.mjml", "", 0, "{{ items }} must be shown exactly once"),
        ("more.mjml", "<mj-text>\xff</mj-text>".encode("latin-1"), 1, "not UTF-8"),
        ("theme.jinja", "{% set accent = %}", 1, "Expected an expression"),
    ],
)
def test_template_that_loses_what_a_message_needs_is_refused(mistake, name, source, line, said):
    error = mistake(name, source)

    assert said in str(error)
    assert (error.path, error.line) == (f"templates/{name}", line)


def test_blocks_cannot_stand_where_mjml_moves_them(mistake):
    error = mistake("digest.mjml", SHELL.replace("<mj-column>", "").replace("</mj-column>", ""))

    assert "<mj-divider> cannot stand in <mj-section>" in str(error)


def test_nesting_that_would_end_the_process_is_refused(mistake):
    deep = "<mj-text>" + "<b>" * 20_000 + "</b>" * 20_000 + "</mj-text>"

    assert "nested more than" in str(mistake("story.mjml", deep))


def test_template_that_includes_itself_is_refused(mistake):
    error = mistake("story.mjml", TEXT + '{% include "story.mjml" %}')

    assert (error.path, error.line) == ("templates/story.mjml", 2)
    assert "includes or calls itself without end" in str(error)


def test_font_of_mjml_itself_is_refused_because_it_is_remote(mistake):
    error = mistake("digest.mjml", SHELL.replace('font-family="{{ theme.fonts }}"', ""))

    assert "load a font from the network" in str(error)


def test_file_included_by_a_template_is_read_too(mistake, tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "part.mjml").write_text("<mj-text>\n<mj-buton>x</mj-buton></mj-text>")
    error = mistake("story.mjml", TEXT + '{% include "part.mjml" %}')

    assert (error.path, error.line) == ("templates/part.mjml", 2)
    assert error.hint == "did you mean `mj-button`?"


@pytest.mark.parametrize(
    "source",
    [
        '{% if story.url %}<mj-text>{% else %}<mj-text color="red">{% endif %}x</mj-text>',
        "<mj-text>{% for tag in story.tags %}<b>{{ tag }}</b><br>{% endfor %}</mj-text>",
        '<mj-text><a {% if story.url %}class="x" {% endif %}href="{{ story.url | attr }}">'
        "x</a></mj-text>",
        "<mj-text><!-- <p> -->x &lt; y</mj-text>\r\n",
        "<mj-raw><!--[if mso]><p>Outlook</p><![endif]--></mj-raw>",
        '<mj-button href="{{ story.href | attr }}">{{ story.title | inline }}</mj-button>',
    ],
)
def test_what_mjml_and_jinja_allow_is_not_refused(tmp_path, source):
    (tmp_path / "story.mjml").write_text(source)
    renderer = Renderer(tmp_path, invented.settings(tmp_path))

    assert renderer.findings() == ()
    assert renderer.compile(STORIES, ISSUE, "en").html.parts


def test_our_own_templates_have_no_findings():
    assert Renderer(None, invented.settings(bundled_templates())).findings() == ()


def test_every_mistake_of_a_file_is_found_at_once(tmp_path):
    (tmp_path / "story.mjml").write_text('<mj-text a="1">x</mj-text>\n<mj-txt>x</mj-txt>')

    findings = Renderer(tmp_path, invented.settings(tmp_path)).findings()

    assert [(finding.check, finding.line) for finding in findings] == [
        ("template/unknown-attribute", 1),
        ("template/unknown-tag", 2),
    ]


def test_a_file_that_no_template_uses_is_a_warning_with_the_nearest_name(tmp_path):
    for name in ("stroy.mjml", "notes.txt", "README.md", "logo.png"):
        (tmp_path / name).write_bytes(b"\xff" if name == "logo.png" else b"<mj-text>x</mj-text>")
    (tmp_path / "more.mjml").mkdir()
    renderer = Renderer(tmp_path, invented.settings(tmp_path))
    told = {finding.path: finding for finding in renderer.findings()}

    assert set(told) == {"stroy.mjml", "notes.txt", "more.mjml"}
    assert {finding.severity for finding in told.values()} == {Severity.WARNING}
    assert told["stroy.mjml"].fix == "did you mean story.mjml?"
    assert "is a folder" in told["more.mjml"].message
    assert renderer.compile(STORIES, ISSUE, "en")
    assert renderer.fingerprint()


@pytest.mark.parametrize("name", ['"card.jinja"', "story.host"])
def test_a_file_that_is_or_may_be_included_is_no_warning(tmp_path, name):
    (tmp_path / "card.jinja").write_text("x")
    (tmp_path / "story.mjml").write_text("<mj-text>{% include " + name + " %}</mj-text>")

    assert Renderer(tmp_path, invented.settings(tmp_path)).findings() == ()


def test_what_loops_may_count_is_for_each_rendering_anew(tmp_path):
    (tmp_path / "templates").mkdir()
    source = "<mj-text>{% for x in range(9000) %}{% endfor %}</mj-text>"
    (tmp_path / "templates" / "story.mjml").write_text(source)

    Renderer(tmp_path / "templates", invented.settings(tmp_path)).compile(STORIES, ISSUE, "en")
