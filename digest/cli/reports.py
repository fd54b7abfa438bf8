"""Findings for people, for programs, for code hosts, and as GitHub's annotations."""

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from pathlib import Path

import click

from digest import __version__
from digest.checks import Rule, find
from digest.cli.session import COLOURS
from digest.cli.shapes import finding_json
from digest.cli.tables import counted
from digest.config import FILE
from digest.errors import DigestError
from digest.models import Finding, Severity

SARIF_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_SARIF = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_REPEATED = 5  # findings of one check in one file before the rest is only counted
_FILES = (".md", ".markdown", ".mdx", ".rmd", ".mjml", ".txt", ".jinja", ".toml", ".csv", ".html")


def as_text(findings: Sequence[Finding]) -> None:
    """A line for each, blocking ones first; what repeats in a file is counted."""
    for (check, path), group in groupby(findings, key=lambda one: (one.check, one.path)):
        same = list(group)
        for finding in same[:_REPEATED]:
            severity = click.style(f"{finding.severity.value:<8}", fg=COLOURS[finding.severity])
            click.echo(f"{severity}{finding}  {click.style(check, dim=True)}")
        if len(same) > _REPEATED:
            more = f"and {len(same) - _REPEATED} more places in {path}"
            click.echo(f"        {more}  {click.style(check, dim=True)}")


def as_json(findings: Sequence[Finding]) -> None:
    """One object a line."""
    for finding in findings:
        click.echo(json.dumps(finding_json(finding), ensure_ascii=False))


def in_repository(root: Path) -> Callable[[str], str]:
    """How code hosts name the files of the project in `root`: from the top of its repository."""
    from digest.changes import top_of

    try:
        inside = root.resolve().relative_to(top_of(root))
    except (DigestError, ValueError):
        inside = Path()
    return lambda path: (inside / path).as_posix()


def as_github(findings: Sequence[Finding], named: Callable[[str], str] = str) -> None:
    """Workflow commands; `%`, line ends and, in properties, `:` and `,` are escaped."""
    for finding in findings:
        title = property_of(finding.check)
        place = ""
        if is_file(finding.path):
            place = f"file={property_of(named(finding.path))},line={max(finding.line, 1)},"
        message = _message(finding) if place else f"{finding.path}: {_message(finding)}"
        click.echo(f"::{_GITHUB[finding.severity]} {place}title={title}::{data(message)}")


def as_sarif(findings: Sequence[Finding], named: Callable[[str], str] = str) -> None:
    """One log of SARIF 2.1.0, as code hosts take it."""
    click.echo(json.dumps(sarif(findings, named), ensure_ascii=False, indent=2))


def sarif(findings: Sequence[Finding], named: Callable[[str], str] = str) -> dict[str, object]:
    """The log: the checks that found something, and what they found; files as `named`."""
    ids = sorted({finding.check for finding in findings})
    driver = {
        "name": "digest",
        "version": __version__,
        "rules": [_rule(check, find(check)) for check in ids],
    }
    return {
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(one, ids.index(one.check), named) for one in findings],
            }
        ],
    }


def is_file(path: str) -> bool:
    """Whether a finding is about a file; those of an edition or a message are not."""
    return path.endswith(_FILES)


def summary(findings: Iterable[Finding]) -> str:
    """`1 error, 2 warnings`."""
    counts = dict.fromkeys(Severity, 0)
    for finding in findings:
        counts[finding.severity] += 1
    told = [counted(count, severity.value) for severity, count in counts.items() if count]
    if not counts[Severity.ERROR] and not counts[Severity.WARNING]:
        told.insert(0, "nothing is wrong")
    return ", ".join(told)


def explained(rule: Rule) -> str:
    """A check for a person who asks why."""
    head = f"{click.style(rule.id, bold=True)}  {rule.severity.value}"
    return "\n".join(
        (
            head,
            rule.title,
            "",
            f"Why:    {rule.why}",
            f"Fix:    {rule.fix}",
            f"Source: {rule.source}",
        )
    )


def _rule(check: str, rule: Rule | None) -> dict[str, object]:
    if rule is None:
        return {"id": check}
    return {
        "id": check,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": f"{rule.title} {rule.why}"},
        "help": {"text": f"{rule.fix} ({rule.source})"},
        "defaultConfiguration": {"level": _SARIF[rule.severity]},
    }


def _result(finding: Finding, index: int, named: Callable[[str], str]) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": finding.check,
        "ruleIndex": index,
        "level": _SARIF[finding.severity],
        "message": {"text": _message(finding)},
    }
    if is_file(finding.path):
        place: dict[str, object] = {"artifactLocation": {"uri": _uri(named(finding.path))}}
        if finding.line:
            place["region"] = {"startLine": finding.line}
        result["locations"] = [{"physicalLocation": place}]
    else:
        # GitHub refuses the whole log where one result is in no file: locationFromSarifResult
        place = {"artifactLocation": {"uri": _uri(named(FILE))}}
        logical = {"fullyQualifiedName": finding.path}
        result["locations"] = [{"physicalLocation": place, "logicalLocations": [logical]}]
        result["message"] = {"text": f"{finding.path}: {_message(finding)}"}
    return result


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path, safe="/~")


def _message(finding: Finding) -> str:
    key = f"{finding.key}: " if finding.key else ""
    return f"{key}{finding.message}" + (f"; {finding.fix}" if finding.fix else "")


def data(text: str) -> str:
    """Text after the `::` of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def property_of(text: str) -> str:
    """The value of a property of a workflow command."""
    return data(text).replace(":", "%3A").replace(",", "%2C")
