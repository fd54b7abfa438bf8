"""`digest subscribers`: people, their preferences, and lists of them."""

from digest.cli import lists, people, wishes
from digest.cli.groups import command_group

command = command_group(
    "subscribers",
    people.add,
    people.list_people,
    people.show,
    people.history,
    wishes.tag,
    wishes.untag,
    wishes.mute,
    wishes.unmute,
    wishes.when,
    wishes.pause,
    wishes.resume,
    people.unsubscribe,
    people.erase,
    lists.import_list,
    lists.export_list,
    help="Add, list, change, import and export subscribers.",
    example="digest subscribers import list.csv --consent 'Mailchimp, double opt-in'",
)
