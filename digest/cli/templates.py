"""`digest templates`: start from ours, own the file, and hear when ours has changed since."""

import click

from digest.cli.exits import Exit
from digest.cli.groups import command_group
from digest.cli.session import Session, project_command


@project_command(name="list", example="digest templates list")
def list_templates(session: Session) -> int:
    """List the templates of the mail, and whose each is."""
    from digest.renderer import bundled_templates
    from digest.renderer.ejecting import standings

    for one in standings(session.config.templates, bundled_templates()):
        click.echo(f"{click.style(f'{one.name:<20}', bold=True)}{one.ownership.value}")
    session.say(
        "docs/templates.md says what each shows; digest templates eject NAME takes one over"
    )
    return Exit.DONE


@project_command(name="eject", example="digest templates eject theme.jinja")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def eject(session: Session, names: tuple[str, ...]) -> int:
    """Copy our template into your project, where it replaces ours. Overwrites nothing."""
    from digest.renderer import bundled_templates
    from digest.renderer.ejecting import eject as take

    config = session.config
    for name in names:
        own = take(config.templates, bundled_templates(), name)
        shown = own.relative_to(config.root) if own.is_relative_to(config.root) else own
        session.say(f"wrote {shown}: it is yours now")
    session.say("  look at what you change: digest preview")
    return Exit.DONE


@project_command(name="check", example="digest templates check story.mjml")
@click.argument("names", nargs=-1, metavar="[NAME]...")
def check(session: Session, names: tuple[str, ...]) -> int:
    """Say which of your templates ours has left behind; with NAME, how yours differs from ours."""
    from digest.errors import TemplateError
    from digest.renderer import bundled_templates
    from digest.renderer.ejecting import Ownership, difference, standings

    every = standings(session.config.templates, bundled_templates())
    yours = {one.name: one for one in every if one.ownership is not Ownership.OURS}
    if unknown := [name for name in names if name not in yours]:
        raise TemplateError(
            f"{unknown[0]} is not yours", hint="digest templates list says which are"
        )
    for name in names or yours:
        one = yours[name]
        click.echo(f"{click.style(f'{name:<20}', bold=True)}{one.ownership.value}")
        if names:
            click.echo(difference(one), nl=False)
    if not yours:
        session.say("every template is ours")
    behind = [one for one in yours.values() if one.ownership is Ownership.CHANGED]
    return Exit.CHECKS if behind else Exit.DONE


command = command_group(
    "templates",
    list_templates,
    eject,
    check,
    help="List the mail's templates, take one over, hear when ours has changed.",
    example="digest templates eject theme.jinja",
)
