"""Options that several commands share, with one wording."""

import click

from digest.cli.session import IssueMoment
from digest.models import Cadence

at_option = click.option(
    "--at",
    type=IssueMoment(),
    default="now",
    show_default=True,
    help="The issue due at this time; a date means the end of that day; "
    "'latest' is the newest issue that has a story.",
)
cadence_option = click.option(
    "--cadence",
    type=click.Choice([cadence.value for cadence in Cadence]),
    help="Which issue: weekly unless configured otherwise.",
)
