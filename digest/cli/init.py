"""`digest init`: a digest.toml beside posts that exist, or a small newsletter to start from."""

import shlex
from datetime import datetime
from pathlib import Path

import click

from digest.cli.exits import Exit


@click.command(
    name="init",
    epilog="\b\nExample:\n  digest init my-blog",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.argument("folder", type=click.Path(path_type=Path), default=Path(), metavar="[DIR]")
@click.option("--dry-run", is_flag=True, help="Say what would be written; write nothing.")
def command(folder: Path, dry_run: bool) -> int:
    """Make a newsletter of a folder.

    Beside a Hugo, Jekyll, Astro or Eleventy site, or plain Markdown posts, it writes a commented
    digest.toml. In an empty folder it lays out a small newsletter with sample posts and invented
    subscribers. It never overwrites a file.
    """
    from digest.scaffold import plan_init, write

    scaffold = plan_init(folder, datetime.now().astimezone())
    click.echo(f"{scaffold}.", err=True)
    if dry_run:
        for file in scaffold.files:
            click.echo(folder / file.path)
        return Exit.DONE
    for path in write(scaffold):
        click.echo(path)
    where = "" if folder == Path() else f"cd {shlex.quote(str(folder))} && "
    click.echo("\nNo account, no database and no network is needed for the next step:", err=True)
    click.echo(f"  {where}digest send{' --at latest' if scaffold.site else ''}", err=True)
    return Exit.DONE
