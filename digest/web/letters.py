"""What the pages mail, in the reader's language: each says who asked for what, and nothing else.

No advertising: a confirmation that has any is itself unasked-for mail.
"""

from digest.models import Subscriber
from digest.notices import Button, Notice
from digest.store import Wish
from digest.tokens import Purpose, preferences_url, sign
from digest.translations import Translations
from digest.web.rhythm import summary
from digest.web.site import OWN_LINK, PREFERENCES_LINK, Site


def confirmation(site: Site, to: str, request: int, wish: Wish, tr: Translations) -> Notice:
    """Somebody asked for the newsletter in the name of this address."""
    name, days = site.config.newsletter.name, site.config.web.confirm_days
    wanted = wish.preferences
    chosen = summary(wanted.everything, wanted.tags, wish.cadence, tr)
    expires = site.now() + site.confirm_time
    token = sign(site.keys, Purpose.CONFIRM, request, expires=expires)
    return Notice(
        to,
        tr.code,
        tr.gettext("Please confirm: %(newsletter)s") % {"newsletter": name},
        (
            tr.gettext(
                "You, or somebody who typed your address, asked for %(newsletter)s by email: "
                "%(choice)s."
            )
            % {"newsletter": name, "choice": chosen},
        ),
        button=Button(tr.gettext("Confirm my subscription"), site.url(f"/c/{token}")),
        after=(
            tr.ngettext(
                "The link works for %(days)d day. If it was not you, do nothing: without your "
                "yes we forget the address.",
                "The link works for %(days)d days. If it was not you, do nothing: without your "
                "yes we forget the address.",
                days,
            )
            % {"days": days},
        ),
    )


def already(site: Site, reader: Subscriber, tr: Translations) -> Notice:
    """Somebody asked for what this reader gets already."""
    name = site.config.newsletter.name
    return Notice(
        reader.email,
        tr.code,
        tr.gettext("You get %(newsletter)s already") % {"newsletter": name},
        (
            tr.gettext(
                "Somebody, perhaps you, asked for %(newsletter)s with your address. You are "
                "subscribed already, and nothing was changed."
            )
            % {"newsletter": name},
        ),
        button=Button(tr.gettext("See and change my preferences"), _preferences(site, reader)),
    )


def link(site: Site, reader: Subscriber, tr: Translations) -> Notice:
    """A fresh link to one's preferences, asked for."""
    name = site.config.newsletter.name
    return Notice(
        reader.email,
        tr.code,
        tr.gettext("Your link to %(newsletter)s") % {"newsletter": name},
        (tr.gettext("Here is the link to your preferences that was asked for."),),
        button=Button(tr.gettext("See and change my preferences"), _preferences(site, reader)),
        after=(tr.gettext("If it was not you, do nothing: the link came to you alone."),),
    )


def own(site: Site, reader: Subscriber, tr: Translations) -> Notice:
    """A link that lasts half an hour, to what only the mailbox's owner may do."""
    token = sign(site.keys, Purpose.OWN, reader.id, expires=site.now() + OWN_LINK)
    name = site.config.newsletter.name
    return Notice(
        reader.email,
        tr.code,
        tr.gettext("Your data at %(newsletter)s") % {"newsletter": name},
        (tr.gettext("Here you can change your address, download what we keep, or delete it."),),
        button=Button(tr.gettext("My address and my data"), site.url(f"/d/{token}")),
        after=(
            tr.gettext("The link works for 30 minutes. If you did not ask for it, do nothing."),
        ),
    )


def move(site: Site, to: str, request: int, tr: Translations, goes_on: bool) -> Notice:
    """To the new address: is it yours? Whether issues come there, or data alone move."""
    token = sign(site.keys, Purpose.CHANGE, request, expires=site.now() + site.confirm_time)
    name = site.config.newsletter.name
    return Notice(
        to,
        tr.code,
        tr.gettext("Please confirm your new address: %(newsletter)s") % {"newsletter": name},
        (
            (
                tr.gettext(
                    "A reader of %(newsletter)s wants to get it at this address from now on."
                )
                if goes_on
                else tr.gettext(
                    "A reader of %(newsletter)s wants to be known by this address from now on. "
                    "They get no issues, and that stays so."
                )
            )
            % {"newsletter": name},
        ),
        button=Button(
            tr.gettext("Yes, move my subscription here")
            if goes_on
            else tr.gettext("Yes, this is my new address"),
            site.url(f"/m/{token}"),
        ),
        after=(tr.gettext("If it was not you, do nothing: nothing will change."),),
    )


def moved(site: Site, old: str, tr: Translations, goes_on: bool) -> Notice:
    """To the old address: the subscription went elsewhere, or what is left of it."""
    subject, told = (
        (
            tr.gettext("Your subscription to %(newsletter)s has moved"),
            tr.gettext(
                "It goes to the new address that you confirmed. This is the last mail to this one."
            ),
        )
        if goes_on
        else (
            tr.gettext("Your address at %(newsletter)s has changed"),
            tr.gettext(
                "We know you by the new address that you confirmed. You get no issues, as before. "
                "This is the last mail to this one."
            ),
        )
    )
    return Notice(
        old,
        tr.code,
        subject % {"newsletter": site.config.newsletter.name},
        (told,),
        after=(tr.gettext("If it was not you, answer this mail: a person will help."),),
    )


def fresh_preferences(site: Site, reader: Subscriber) -> str:
    """Where their preferences are on this site, for a while."""
    expires = site.now() + PREFERENCES_LINK
    token = sign(site.keys, Purpose.PREFERENCES, reader.id, expires=expires)
    return preferences_url("", token)


def _preferences(site: Site, reader: Subscriber) -> str:
    return site.url(fresh_preferences(site, reader))
