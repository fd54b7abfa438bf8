"""`digest check`: what is wrong in posts, subscribers, templates, and the issue they make."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from digest.cli.exits import Exit
from digest.cli.session import Session, exit_for, project_command
from digest.cli.tables import counted
from digest.models import Finding, Severity, Story

if TYPE_CHECKING:
    from digest.issues import Draft

FORMATS = ("text", "json", "sarif", "github")


@project_command(name="check", example="digest check content/posts --format github")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--format",
    "shape",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="For people, for programs, for code hosts, or as annotations in a pull request.",
)
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option(
    "--online",
    is_flag=True,
    help="Ask whether links answer: of PATH, or of the newest issue and the pictures of its mail.",
)
@click.option(
    "--impact", is_flag=True, help="Say of changed posts who gets them, when, and what they add."
)
@click.option(
    "--base", metavar="REV", default="", help="What --impact compares with; the main branch."
)
@click.option("--explain", metavar="ID", help="Say why a check is there and what to do.")
@click.option("--list", "listing", is_flag=True, help="List every check there is.")
def command(
    session: Session,
    paths: tuple[Path, ...],
    shape: str,
    strict: bool,
    online: bool,
    impact: bool,
    base: str,
    explain: str | None,
    listing: bool,
) -> int:
    """Find what is wrong: in these posts, or without PATH in posts, subscribers and templates,
    and in the newest issue that they make.

    Errors block a real send, unless it allows them by their ids.
    """
    if explain or listing:
        return _tell(explain)
    from digest.checks import in_order
    from digest.cli import reports

    findings = in_order(_findings(session, paths, online))
    told = [f for f in findings if session.verbose or f.severity is not Severity.INFO]
    hosts = {"sarif": reports.as_sarif, "github": reports.as_github}
    if shape in hosts:
        hosts[shape](told, reports.in_repository(session.config.root))
    else:
        {"text": reports.as_text, "json": reports.as_json}[shape](told)
    if impact:
        from digest.cli.impact import impacts_of, tell

        tell(session, impacts_of(session, base), shape)
    session.say(reports.summary(findings))
    warned = any(finding.severity is Severity.WARNING for finding in findings)
    return Exit.CHECKS if strict and warned else exit_for(findings)


def _tell(check: str | None) -> int:
    from digest.checks import RULES, find, nearest
    from digest.cli.reports import explained

    if check is None:
        width = max(map(len, RULES))
        for rule in RULES.values():
            click.echo(f"{rule.id:<{width}}  {rule.severity.value:<7}  {rule.title}")
        return Exit.DONE
    found = find(check)
    if found is None:
        close = nearest(check)
        hint = f"did you mean {close}?" if close else "digest check --list names them"
        raise click.UsageError(f"there is no check {check!r}; {hint}")
    click.echo(explained(found))
    return Exit.DONE


def _findings(session: Session, paths: tuple[Path, ...], online: bool) -> Iterable[Finding]:
    if paths:
        yield from _of_posts(session, paths, online)
        return
    from digest.cli.audience import draft_of
    from digest.proofs import inspect_content

    draft = draft_of(session, "latest", None)
    yield from session.content.findings
    listed: Counter[str] = Counter()
    yield from _subscriber_findings(session, listed)
    followers = _followers(session, listed)
    yield from inspect_content(session.config, session.content, followers)
    yield from _issue_findings(session, draft, followers)
    if online:
        yield from _answers(session, draft.candidates()[0])
        yield from _pictures(session, draft)


def _of_posts(session: Session, paths: tuple[Path, ...], online: bool) -> Iterable[Finding]:
    """These posts alone: a post can be checked before there is a newsletter.

    Where there is one, their tags and titles are held against those of all posts.
    """
    from digest.checks import Places, check_stories
    from digest.content import read_content
    from digest.proofs import PostTexts

    session.config_required = False
    config = session.config
    content = read_content(config, [path.resolve() for path in paths])
    places, posts = Places(PostTexts(config.root)), {story.post for story in content.stories}
    yield from content.findings
    every = read_content(config) if config.path.is_file() else content
    whole = every if posts <= {story.post for story in every.stories} else content
    for finding in check_stories(whole.stories, places, whole.vocabulary):
        if finding.path in posts:
            yield finding
    if online:
        yield from _answers(session, content.stories)


def _answers(session: Session, stories: Sequence[Story]) -> Iterable[Finding]:
    """What the sites say that these stories link to."""
    from digest import online
    from digest.checks import Places
    from digest.checks.answers import addresses, check_answers
    from digest.proofs import PostTexts

    wanted = addresses(stories)
    session.say(f"Asking for {counted(len(wanted), 'link')}")
    with session.progress("Asking for links") as advance:
        answers = online.Asker().ask(wanted, advance)
    return check_answers(stories, Places(PostTexts(session.config.root)), answers)


def _pictures(session: Session, draft: "Draft") -> Iterable[Finding]:
    """What is behind the pictures of the newest issue's mail."""
    from digest import online
    from digest.checks.pictures import addresses, check_pictures
    from digest.errors import TemplateError
    from digest.proofs import proof_of

    if not draft.candidates()[0]:
        return
    with suppress(TemplateError):  # it is among the findings of the issue
        proof = proof_of(draft, session.config.newsletter.language)
        wanted = addresses(proof)
        if wanted:
            session.say(f"Asking for {counted(len(wanted), 'picture')}")
        yield from check_pictures(proof, online.Asker().pictures(wanted))


def _subscriber_findings(session: Session, followers: Counter[str]) -> list[Finding]:
    """Of the CSV files; the tags that their people follow are counted into `followers`."""
    from digest.config import secret_keys
    from digest.errors import SubscribersError
    from digest.subscribers import read_subscribers

    config = session.config
    session.findings.clear()
    try:
        key = secret_keys(config, lasting=False)[0]
        for person in read_subscribers(config.subscribers, config.root, key, session.report):
            followers.update(person.preferences.tags)
    except SubscribersError as error:
        path = error.path or config.subscribers.name
        return [
            Finding(
                path, error.line, "subscribers/file", Severity.ERROR, str(error), "", error.hint
            )
        ]
    return session.findings


def _followers(session: Session, listed: Counter[str]) -> Mapping[str, int]:
    """Tags with how many readers follow each: of the store once there is one."""
    from digest.cli.audience import store_of

    store = store_of(session)
    if store is None:
        return listed
    return {tag.name: tag.followers for tag in store.tags.readers() if tag.followers}


def _issue_findings(
    session: Session, draft: "Draft", followers: Mapping[str, int]
) -> list[Finding]:
    """The newest issue that has stories, in every language its readers may have."""
    from digest.errors import TemplateError
    from digest.models import Preferences
    from digest.proofs import inspect_issue
    from digest.renderer import bundled_templates, ejecting
    from digest.translations import languages

    config = session.config
    found = [
        *draft.renderer.findings(),
        *ejecting.findings(config.templates, bundled_templates(), config.root),
    ]
    if any(finding.severity is Severity.ERROR for finding in found):
        return found  # nothing compiles, for the reasons that are told
    broken = []
    for language in sorted(languages()):
        try:
            draft.composition(Preferences(everything=True, languages=(language,)))
        except TemplateError as error:
            broken.append(
                Finding(
                    error.path, error.line, "template", Severity.ERROR, str(error), "", error.hint
                )
            )
    return list(
        dict.fromkeys((*found, *(broken or inspect_issue(draft, followed=followers or None))))
    )
