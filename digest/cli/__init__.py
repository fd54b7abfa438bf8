"""The `digest` command: parse, call, print. Data goes to stdout, talk to stderr.

Commands live in one module each and are imported when they are called, so that `--help` and
completion stay fast (a test counts what they import).
"""

import sys
from importlib import import_module

import click

from digest.cli.exits import EXITS_HELP, Exit
from digest.cli.groups import Group

COMMANDS = {
    "init": "Write a digest.toml beside your posts, or a small newsletter to start from.",
    "stories": "List the stories in your posts.",
    "check": "Find what is wrong in posts, subscribers, templates and the next issue.",
    "render": "Render one reader's digest.",
    "preview": "See every reader's digest in a browser, while you write.",
    "templates": "List the mail's templates, take one over, hear when ours has changed.",
    "plan": "Show what the due issue would hold and who would get it.",
    "send": "Hand the due issue to the provider (the outbox, unless configured).",
    "test-send": "Mail one message of an issue to yourself.",
    "issues": "See what was planned and sent; pause, resume, cancel, retry, publish, hide.",
    "schedule": "See what goes out by itself and when; pause, resume, approve it, do it once.",
    "stats": "Say what became of issues: delivered, bounced, complained, left, found useful.",
    "explain": "Say why a reader gets each story, or why not.",
    "serve": "Serve the readers' own pages, and send issues when they are due.",
    "worker": "Be one of many machines that send issues together (PostgreSQL).",
    "events": "Take in what the provider told of deliveries.",
    "bounces": "Take in bounces and complaints that came by mail.",
    "subscribers": "Add, list, change, import and export subscribers.",
    "tags": "See what each tag means in readers and stories; rename and merge tags.",
    "suppressions": "Keep the list of addresses that are never mailed.",
    "db": "Upgrade and back up the database.",
    "status": "Tell what runs now, how fast, what is paused, and what is next.",
    "doctor": "Look at everything a send depends on: settings, database, provider, DNS, web.",
}


class _LazyGroup(Group):
    """A group whose commands are named above and imported one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"digest.cli.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does, without importing every command for its first line."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=_LazyGroup,
    epilog=f"\b\n{EXITS_HELP}\n\n\b\nExample:\n  digest init && digest send --at latest",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="digest-newsletter", prog_name="digest")
def digest() -> None:
    """Turn a folder of Markdown posts into a personalised email newsletter."""


def main() -> None:
    """The console script. Every failure is a message and an exit code, never a traceback."""
    try:
        code = digest.main(standalone_mode=False)
    except BaseException as error:
        from digest.cli.failures import exit_code

        code = exit_code(error)
    sys.exit(code if isinstance(code, int) else Exit.DONE)
