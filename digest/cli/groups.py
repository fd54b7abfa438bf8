"""Commands that have commands of their own."""

import click


def command_group(name: str, *commands: click.Command, help: str, example: str) -> click.Group:  # noqa: A002 - click's word
    """A group of project commands, with the example that every command's help ends in."""
    group = click.Group(
        name,
        help=help,
        epilog=f"\b\nExample:\n  {example}",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    for command in commands:
        group.add_command(command)
    return group
