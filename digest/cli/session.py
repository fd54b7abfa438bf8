"""What every command that works on a project shares: its config, its content, a way to talk."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, wraps
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any, Protocol

import click

from digest.cli.exits import Exit
from digest.config import plain_terminal
from digest.models import Finding, Severity

if TYPE_CHECKING:
    from digest.config import Config
    from digest.content import Content

COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}
LATEST = "latest"
YEARS = range(1970, 3000)
_WAITS = 76  # characters of what is waited for
SHOWN = 20  # findings in full before "and N more"


class Advance(Protocol):
    """Takes how much is done; and in place of what is done, for what it `waits`, if it does."""

    def __call__(self, done: int, total: int, waits: str = "", /) -> None: ...


@dataclass
class Session:
    """One run of one command. Data is for stdout; everything here talks on stderr."""

    config_path: Path | None = None
    quiet: bool = False
    config_required: bool = True
    sends: bool = False  # what is signed must be good for years
    verbose: bool = False
    findings: list[Finding] = field(default_factory=list)

    @cached_property
    def config(self) -> "Config":
        from digest.config import load

        return load(self.config_path, required=self.config_required)

    @cached_property
    def content(self) -> "Content":
        """Every post of the content folder; its findings are told at the end."""
        from digest.content import read_content

        with self.progress("Reading posts") as advance:
            content = read_content(self.config, progress=advance)
        self.findings.extend(content.findings)
        return content

    def read_anew(self) -> "Content":
        """The posts as they are now, whatever was read before."""
        known = self.__dict__.pop("content", None)
        if known is not None:
            self.findings = [one for one in self.findings if one not in set(known.findings)]
        return self.content

    def say(self, text: str = "") -> None:
        if not self.quiet:
            click.echo(text, err=True)

    def refuse(self, text: str) -> None:
        """Say why something is not done, however quiet it is to be."""
        click.echo(text, err=True)

    def report(self, finding: Finding) -> None:
        self.findings.append(finding)

    def finish(self) -> int:
        """Tell the findings; the exit code of a command that did its work."""
        shown = [f for f in self.findings if self.verbose or f.severity is not Severity.INFO]
        for finding in shown[: None if self.verbose else SHOWN]:
            severity = finding.severity
            click.secho(severity.value, fg=COLOURS[severity], err=True, nl=False)
            click.echo(f" {finding}", err=True)
        if not self.verbose and len(shown) > SHOWN:
            self.say(f"and {len(shown) - SHOWN} more; see them all with: digest check")
        return exit_for(self.findings)

    @contextmanager
    def progress(self, doing: str) -> Iterator[Advance]:
        """A bar for work that takes long enough to be seen, where a person watches."""
        if self.quiet or not sys.stderr.isatty() or plain_terminal():
            yield lambda done, total, waits="": None
            return
        from rich.console import Console
        from rich.markup import escape
        from rich.progress import Progress

        no_color = click.get_current_context().color is False
        with Progress(console=Console(stderr=True, no_color=no_color), transient=True) as bar:
            task = bar.add_task(doing, total=None)
            yield lambda done, total, waits="": bar.update(
                task,
                completed=done,
                total=total or None,
                description=escape(shorten(waits, _WAITS, placeholder="…")) or doing,
            )


def exit_for(findings: list[Finding]) -> Exit:
    worst = any(finding.severity is Severity.ERROR for finding in findings)
    return Exit.CHECKS if worst else Exit.DONE


def project_command(**settings: Any) -> Callable[[Callable[..., int]], click.Command]:
    """A command that gets a Session first, has the shared options, and returns its exit code.

    `example` is the last line of its help; every command has one. One that `goes_on` is not ended
    by a closed pipe behind what it says.
    """
    example, goes_on = settings.pop("example"), settings.pop("goes_on", False)

    def decorate(function: Callable[..., int]) -> click.Command:
        @click.command(
            epilog=f"\b\nExample:\n  {example}",
            context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
            **settings,
        )
        @click.option(
            "--config",
            "config_path",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="The digest.toml to use, instead of the nearest one.",
        )
        @click.option("-q", "--quiet", is_flag=True, help="Say only what is wrong.")
        @click.option("-v", "--verbose", is_flag=True, help="Say hints and every finding.")
        @click.option("--no-color", is_flag=True, help="No colours, also on a terminal.")
        @wraps(function)
        def command(
            config_path: Path | None, quiet: bool, verbose: bool, no_color: bool, **values: Any
        ) -> int:
            if no_color or plain_terminal():
                click.get_current_context().color = False
            if goes_on:
                from digest.cli.unheard import go_on_unheard

                go_on_unheard()
            session = Session(config_path, quiet=quiet, verbose=verbose)
            return function(session, **values)

        assert isinstance(command, click.Command)
        return command

    return decorate


class Moment(click.ParamType[str, str]):
    """A point in time as typed: `2026-11-19`, `2026-11-19 09:00`, with or without an offset.

    Stays text; `moment` makes a datetime of it when the newsletter's zone is known.
    """

    name = "time"
    words: frozenset[str] = frozenset({"now"})

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self.words:
            try:
                if datetime.fromisoformat(value).year not in YEARS:
                    raise ValueError(value)
            except ValueError:
                words = " or ".join(sorted(self.words))
                self.fail(
                    f"{value!r} is not a time; expected 2026-11-19, '2026-11-19 09:00', "
                    f"2026-11-19T09:00:00Z, {words}",
                    param,
                    ctx,
                )
        return value


class IssueMoment(Moment):
    """A moment, or `latest`: the newest issue that has something to tell."""

    words = frozenset({"now", LATEST})


def moment(text: str, session: Session, *, end_of_day: bool = False) -> datetime:
    """`text` in UTC. A date alone is that local day's start, or with `end_of_day` its end."""
    if text in IssueMoment.words:
        return datetime.now(UTC)
    when = datetime.fromisoformat(text)
    if end_of_day and len(text) <= len("2026-11-19"):
        when += timedelta(days=1, microseconds=-1)
    if when.tzinfo is None:
        when = when.replace(tzinfo=session.config.newsletter.timezone)
    return when.astimezone(UTC)
