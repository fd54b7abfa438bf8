"""Commands that have commands of their own."""

import click


class Group(click.Group):
    """A group that says which command was probably meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if self.get_command(ctx, args[0]) is None and args[0][:1].isalpha():
            from difflib import get_close_matches

            near = get_close_matches(args[0], self.list_commands(ctx), 1)
            hint = f"did you mean {near[0]}?" if near else "--help names them all"
            ctx.fail(f"there is no command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)


def command_group(name: str, *commands: click.Command, help: str, example: str) -> click.Group:  # noqa: A002 - click's word
    """A group of project commands, with the example that every command's help ends in."""
    group = Group(
        name,
        help=help,
        epilog=f"\b\nExample:\n  {example}",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    for command in commands:
        group.add_command(command)
    return group
