"""The workshop shows what a cold render would, and remembers what a save did not change."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from digest.config import load
from digest.content import Shelf, read_content
from digest.dues import issue_at
from digest.errors import ConfigError, TemplateError
from digest.issues import Draft
from digest.listing import Listing
from digest.models import Cadence, Preferences
from digest.renderer import Renderer, bundled_templates
from digest.renderer.kept import KeptRenderer
from digest.studio.cast import Role
from digest.studio.state import Look
from digest.studio.workshop import Workshop, guest
from tests.studio.conftest import KEYS, NOW


def titles(shot):
    return [pick.story.title for pick in shot.selection.picks]


def mail(shot):
    return shot.composition.message.html(shot.draft.reader(shot.subscriber))


def two_readers(opening):
    """They follow the same tag, each in a spelling of their own."""

    class Two:
        def due(self, issue, skipped):
            someone = Workshop(opening).shot(Look()).subscriber
            yield replace(someone, id=1, preferences=Preferences(tags=("k8s",)))
            yield replace(someone, id=2, preferences=Preferences(tags=("kubernetes",)))

        def find(self, email, now):
            return None

    return Two()


def saved(workshop, project, path, text):
    workshop.changed([project.write(path, text)])


def edit(workshop, project, path, old, new):
    saved(workshop, project, path, (project.root / path).read_text().replace(old, new))


def test_the_studio_opens_on_the_newest_issue_that_has_posts(workshop):
    assert workshop.shot(Look()).issue.id == "weekly-2026-11-19"


def test_the_issue_still_open_is_preferred_once_it_has_a_post(workshop, project):
    project.post("fresh", published="2026-11-20")
    workshop.changed([project.root / "content" / "fresh.md"])

    assert workshop.shot(Look()).issue.id == "weekly-2026-11-26"


def test_what_is_shown_is_what_digest_render_makes_byte_for_byte(workshop, project):
    config = load(project.root / "digest.toml", {})
    issue = issue_at(config, Cadence.WEEKLY, NOW)
    cold = Draft(config, read_content(config, now=NOW), issue, KEYS)
    shot = workshop.shot(Look("ana"))

    plain = cold.composition(shot.role.preferences)
    assert mail(shot) == plain.message.html(cold.reader(shot.subscriber))


def test_where_clicks_are_counted_links_to_look_at_lead_straight_on(workshop, project, opening):
    direct = workshop.shot(Look("ana"))
    project.write(
        "digest.toml", (project.root / "digest.toml").read_text() + "[stats]\nclicks = true\n"
    )
    counted = Workshop(opening).shot(Look("ana"))

    assert not direct.draft.counted
    assert counted.shown == direct.shown == mail(direct)
    assert f"/g/{counted.issue.id}/" in mail(counted)


def test_after_an_edit_it_is_still_what_a_cold_render_makes(workshop, project):
    workshop.shot(Look("everything"))
    edit(workshop, project, "content/agents.md", "in one sentence", "in **two** sentences")
    hot = workshop.shot(Look("tags:*"))
    cold = Workshop(workshop.opening).shot(Look("tags:*"))

    assert "two</strong> sentences" in mail(hot)
    assert mail(hot) == mail(cold)


def test_a_post_that_is_new_or_gone_is_seen(workshop, project):
    project.post("brand-new", published="2026-11-18")
    workshop.changed([project.root / "content" / "brand-new.md"])
    with_it = titles(workshop.shot(Look("tags:*")))
    (project.root / "content" / "brand-new.md").unlink()
    workshop.changed([project.root / "content" / "brand-new.md"])

    assert "About brand-new" in with_it
    assert "About brand-new" not in titles(workshop.shot(Look("tags:*")))


def test_a_broken_template_is_told_with_its_line_and_mended(workshop, project):
    own = project.root / "templates"
    own.mkdir()
    broken = "{{ story.tittle }}\n"
    saved(workshop, project, "templates/more-item.txt", f"\n\n{broken}")

    with pytest.raises(TemplateError) as told:
        workshop.shot(Look("ana"))
    assert (told.value.path, told.value.line) == ("templates/more-item.txt", 3)
    (own / "more-item.txt").unlink()
    workshop.changed([own / "more-item.txt"])
    assert workshop.shot(Look("ana")).composition


def test_a_broken_configuration_is_told_until_it_is_mended(workshop, project):
    good = (project.root / "digest.toml").read_text()
    saved(workshop, project, "digest.toml", good + "\n[newsleter]\n")

    with pytest.raises(ConfigError, match="newsleter"):
        workshop.shot(Look())
    saved(workshop, project, "digest.toml", good.replace("Platform Weekly", "Platform Monthly"))
    assert workshop.shot(Look()).draft.config.newsletter.name == "Platform Monthly"


def test_drafts_are_shown_when_they_are_asked_for(workshop, project):
    edit(workshop, project, "content/agents.md", "slug:", "draft: true\nslug:")

    assert "About agents" not in titles(workshop.shot(Look("ana")))
    assert "About agents" in titles(workshop.shot(Look("ana", drafts=True)))


def test_typed_tags_are_a_reader_of_their_own(workshop):
    assert titles(workshop.shot(Look("tags:k8s"))) == ["About ferry"]


def test_a_reader_that_is_unknown_is_the_first_persona(workshop):
    assert workshop.shot(Look("nobody-of-this-name")).role.key == "ana"


def test_an_edition_in_a_bookmark_is_found_after_a_restart(opening):
    counted = replace(opening, readers=lambda: two_readers(opening))
    (role, edition), *_ = Workshop(counted).editions(Look())
    shot = Workshop(counted).shot(Look(role.key))

    assert shot.role == role
    assert shot.composition.edition.id == edition.id


def test_everybody_includes_the_edges(workshop):
    shot = workshop.shot(Look())
    edges = {role.key: role for role in workshop.roles(shot, Look()) if role.edge}

    assert edges.keys() == {"largest", "smallest", "nobody"}
    assert workshop.shot(Look("nobody")).composition is None
    assert len(workshop.shot(Look("smallest")).selection.picks) == 1
    assert len(workshop.shot(Look("largest")).selection.picks) == 3


def test_personas_are_made_of_the_contents_tags_where_there_are_none(workshop, project):
    edit(workshop, project, "digest.toml", '[personas.ana]\ntags = ["ai", "python"]\n', "")
    roles = workshop.roles(workshop.shot(Look()), Look())

    made = [role for role in roles if not role.edge]
    assert made
    assert all(workshop.shot(Look(role.key)).composition for role in made)


def test_personas_are_made_where_none_follows_a_tag(workshop, project):
    edit(workshop, project, "digest.toml", 'tags = ["ai", "python"]\n', "everything = true\n")
    roles = workshop.roles(workshop.shot(Look()), Look())

    assert roles[0].key == "ana"
    assert any(role.preferences.tags for role in roles if not role.edge)


def test_a_subscriber_is_a_guest_whose_address_is_in_no_link(opening):
    reader = replace(Workshop(opening).shot(Look()).subscriber, email="ana@example.org", name="Ana")
    workshop = Workshop(replace(opening, guests=(guest(reader),)))

    shot = workshop.shot(Look("guest"))
    assert isinstance(shot.role, Role)
    assert "@" not in shot.role.key
    assert shot.role.name == "ana@example.org"


def test_the_calendar_counts_the_posts_of_every_issue(workshop):
    counted = {issue.id: posts for issue, posts in workshop.calendar(Cadence.WEEKLY)}

    assert counted == {
        "weekly-2026-11-05": 1,
        "weekly-2026-11-12": 0,
        "weekly-2026-11-19": 3,
        "weekly-2026-11-26": 0,
        "weekly-2026-12-03": 0,
    }


def test_a_shelf_holds_what_reading_everything_gives(project):
    config = load(project.root / "digest.toml", {})
    shelf = Shelf(config)
    project.post("ferry", tags="#K8S #new", published="2026-11-15")
    project.post("more", published="2026-11-18")
    (project.root / "content" / "old.md").unlink()
    shelf.refresh(project.root / "content" / f"{name}.md" for name in ("ferry", "more", "old"))

    assert shelf.content(NOW) == read_content(config, now=NOW)


def test_a_window_of_a_shelf_has_the_stories_published_in_it(project):
    config = load(project.root / "digest.toml", {})
    window = issue_at(config, Cadence.WEEKLY, NOW).window
    whole, part = Shelf(config).content(NOW), Shelf(config).content(NOW, window)

    assert part.stories == tuple(s for s in whole.stories if s.published in window)
    assert part.vocabulary == whole.vocabulary
    assert part.findings == whole.findings


def test_kept_fragments_give_the_layout_of_a_whole_compile(project):
    config = load(project.root / "digest.toml", {})
    issue = issue_at(config, Cadence.WEEKLY, NOW)
    stories = read_content(config, now=NOW).stories
    edited = replace(stories[1], title="Another `title`")
    kept = KeptRenderer(None, config)
    kept.compile(stories, issue, "en")

    for chosen in (stories, (edited, *stories[2:]), stories[:1], ()):
        plain = Renderer(None, config).compile(chosen, issue, "en")
        assert kept.compile(chosen, issue, "en") == plain


def test_a_story_is_compiled_once(project, monkeypatch):
    config = load(project.root / "digest.toml", {})
    issue = issue_at(config, Cadence.WEEKLY, NOW)
    stories = read_content(config, now=NOW).stories
    kept = KeptRenderer(None, config)
    compiled = []
    plain = Renderer.compile

    def counted(self, stories, issue, language):
        compiled.extend(stories)
        return plain(self, stories, issue, language)

    monkeypatch.setattr(Renderer, "compile", counted)
    kept.compile(stories, issue, "en")
    kept.compile((replace(stories[0], title="New"), *stories[1:]), issue, "en")

    assert len(compiled) == len(stories) + 1


@pytest.mark.parametrize(
    "name", ["story.mjml", "story.txt", "theme.jinja", "digest.mjml", "contents-item.mjml"]
)
def test_after_a_saved_template_it_is_still_what_a_cold_render_makes(workshop, project, name):
    workshop.shot(Look("tags:*"))
    text = (bundled_templates() / name).read_text()
    changed = text.replace("#0a52c4", "#0a5200").replace("{{ story.title", "SAVED {{ story.title")
    saved(workshop, project, f"templates/{name}", changed)
    hot, cold = (one.shot(Look("tags:*")) for one in (workshop, Workshop(workshop.opening)))

    assert mail(hot) == mail(cold)
    reader = cold.draft.reader(cold.subscriber)
    assert hot.composition.message.text(reader) == cold.composition.message.text(reader)


def test_an_item_depends_on_what_it_includes_by_whatever_name(workshop, project):
    story = '{% set part = "part.mjml" %}<mj-text>{% include part %}{{ story.title }}</mj-text>'
    project.write("templates/part.mjml", "one ")
    saved(workshop, project, "templates/story.mjml", story)
    before = mail(workshop.shot(Look("tags:*")))
    saved(workshop, project, "templates/part.mjml", "two ")

    assert "one About agents" in before
    assert "two About agents" in mail(workshop.shot(Look("tags:*")))


def test_readers_of_an_edition_are_counted(opening):
    workshop = Workshop(replace(opening, readers=lambda: two_readers(opening)))
    ((role, edition),) = workshop.editions(Look())

    assert edition.readers == 2
    assert titles(workshop.shot(Look(role.key))) == ["About ferry"]


def test_a_story_that_the_store_lists_later_is_in_the_later_issue(opening):
    def late(stories, now):
        return Listing({one.id: NOW for one in stories if one.post == "content/old.md"})

    workshop = Workshop(replace(opening, listing=late))

    assert titles(workshop.shot(Look("tags:*", "weekly-2026-11-26"))) == ["About old"]
    assert "About old" not in titles(workshop.shot(Look("tags:*", "weekly-2026-11-05")))


def test_nothing_of_an_issue_before_the_first_post_is_no_failure(workshop):
    shot = workshop.shot(Look("ana", "weekly-2020-01-02"))

    assert shot.composition is None
    assert shot.issue.window.end == datetime(2020, 1, 2, 9, tzinfo=UTC)
