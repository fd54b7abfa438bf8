"""`digest check`: what is wrong in posts, subscribers and templates."""

import json
from collections.abc import Iterable
from pathlib import Path

import click

from digest.cli.exits import Exit
from digest.cli.session import COLOURS, Session, exit_for, project_command
from digest.cli.shapes import finding_json
from digest.cli.tables import counted
from digest.models import Finding, Severity

GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


@project_command(name="check", example="digest check content/posts --format github")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="For people, for programs, or as annotations in a pull request.",
)
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
def command(session: Session, paths: tuple[Path, ...], shape: str, strict: bool) -> int:
    """Find what is wrong: in these posts, or without PATH in posts, subscribers and templates."""
    findings = sorted(_findings(session, paths))
    told = [f for f in findings if session.verbose or f.severity is not Severity.INFO]
    {"text": _as_text, "json": _as_json, "github": _as_github}[shape](told)
    session.say(_summary(findings))
    warned = any(finding.severity is Severity.WARNING for finding in findings)
    return Exit.CHECKS if strict and warned else exit_for(findings)


def _findings(session: Session, paths: tuple[Path, ...]) -> Iterable[Finding]:
    from digest.content import read_content

    if paths:
        session.config_required = False  # a post can be checked before there is a newsletter
        return read_content(session.config, [path.resolve() for path in paths]).findings
    return (*session.content.findings, *_subscriber_findings(session), *_template_findings(session))


def _subscriber_findings(session: Session) -> list[Finding]:
    from collections import deque

    from digest.config import secret_keys
    from digest.errors import SubscribersError
    from digest.subscribers import read_subscribers

    config = session.config
    session.findings.clear()
    try:
        key = secret_keys(config, lasting=False)[0]
        deque(read_subscribers(config.subscribers, config.root, key, session.report), maxlen=0)
    except SubscribersError as error:
        path = error.path or config.subscribers.name
        return [
            Finding(
                path, error.line, "subscribers/file", Severity.ERROR, str(error), "", error.hint
            )
        ]
    return session.findings


def _template_findings(session: Session) -> list[Finding]:
    """Compile the newest issue that has stories, in every language its readers may have."""
    from digest.cli.audience import draft_of
    from digest.errors import TemplateError
    from digest.models import Preferences
    from digest.translations import languages

    draft = draft_of(session, "latest", None)
    found = list(draft.renderer.findings())
    if any(finding.severity is Severity.ERROR for finding in found):
        return found  # nothing compiles, for the reasons that are told
    for language in sorted(languages()):
        try:
            draft.composition(Preferences(everything=True, languages=(language,)))
        except TemplateError as error:
            found.append(
                Finding(
                    error.path, error.line, "template", Severity.ERROR, str(error), "", error.hint
                )
            )
    return list(dict.fromkeys(found))


def _as_text(findings: list[Finding]) -> None:
    for finding in findings:
        severity = click.style(f"{finding.severity.value:<8}", fg=COLOURS[finding.severity])
        click.echo(f"{severity}{finding}  {click.style(finding.check, dim=True)}")


def _as_json(findings: list[Finding]) -> None:
    for finding in findings:
        click.echo(json.dumps(finding_json(finding), ensure_ascii=False))


def _as_github(findings: list[Finding]) -> None:
    """Workflow commands; `%`, line ends and, in properties, `:` and `,` are escaped."""
    for finding in findings:
        place = f"file={_property(finding.path)},line={max(finding.line, 1)}"
        message = f"{finding.key}: " if finding.key else ""
        message += finding.message + (f"; {finding.fix}" if finding.fix else "")
        title = _property(finding.check)
        click.echo(f"::{GITHUB[finding.severity]} {place},title={title}::{_data(message)}")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _summary(findings: list[Finding]) -> str:
    counts = dict.fromkeys(Severity, 0)
    for finding in findings:
        counts[finding.severity] += 1
    if not findings:
        return "nothing is wrong"
    return ", ".join(counted(count, severity.value) for severity, count in counts.items() if count)
