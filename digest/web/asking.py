"""Asking for something in the name of an address: the same answer, whoever is behind it.

Whether somebody is subscribed shows in a mail to that address and nowhere else: not in the page,
and not in how long it takes, because the mail leaves in the background.
"""

from digest.addresses import recognised
from digest.models import State, Subscriber
from digest.store import RequestKind, Subscription, Wish
from digest.store.records import LIFTED_BY_CONFIRMING
from digest.translations import Translations
from digest.web import letters
from digest.web.looks import spoken
from digest.web.site import OWN_LINK, Site


def to_subscribe(site: Site, email: str, wish: Wish, tr: Translations) -> None:
    """Mail a link that confirms; or, to who gets the newsletter already, one to preferences."""
    address, requests = recognised(email), site.store.requests
    known = site.store.subscriptions.find(address)
    barred = _barred(site, address)
    asked = requests.ask(RequestKind.SUBSCRIBE, address, site.now(), wish=wish)
    if barred or not asked.mail:
        return
    if known is not None and active(known):
        notice = letters.already(site, known.subscriber, spoken(site, known.subscriber))
    else:
        notice = letters.confirmation(site, address, asked.id, wish, tr)
    site.mail(notice, lambda: requests.not_mailed(asked.id))


def for_a_link(site: Site, email: str) -> None:
    """Mail a link to their preferences to a subscriber; nothing to anybody else."""
    address, requests = recognised(email), site.store.requests
    known = site.store.subscriptions.find(address)
    barred = _barred(site, address)
    asked = requests.ask(RequestKind.LINK, address, site.now())
    if asked.mail and known is not None and not barred:
        notice = letters.link(site, known.subscriber, spoken(site, known.subscriber))
        site.mail(notice, lambda: requests.not_mailed(asked.id))


def for_own_data(site: Site, reader: Subscriber) -> bool:
    """Mail the link behind which data are downloaded, deleted and moved.

    False, and no mail, while the last one works and was not used.
    """
    requests, now = site.store.requests, site.now()
    asked = requests.ask(RequestKind.OWN, reader.email, now, person=reader.id, between=OWN_LINK)
    if asked.mail:
        notice = letters.own(site, reader, spoken(site, reader))
        site.mail(notice, lambda: requests.not_mailed(asked.id))
    return asked.mail


def to_move(site: Site, moving: Subscription, email: str) -> None:
    """Mail a link to the new address; if somebody has it already, a link to their preferences."""
    address, requests, reader = recognised(email), site.store.requests, moving.subscriber
    known = site.store.subscriptions.find(address)
    barred = _barred(site, address)
    asked = requests.ask(RequestKind.CHANGE, address, site.now(), person=reader.id)
    if barred or not asked.mail:
        return
    if known is None:
        notice = letters.move(site, address, asked.id, spoken(site, reader), moving.goes_on)
    elif not active(known):
        notice = letters.link(site, known.subscriber, spoken(site, known.subscriber))
    else:
        notice = letters.already(site, known.subscriber, spoken(site, known.subscriber))
    site.mail(notice, lambda: requests.not_mailed(asked.id))


def active(known: Subscription) -> bool:
    """They get issues, or will when their pause ends."""
    return known.state is State.CONFIRMED and not known.suppressions


def _barred(site: Site, address: str) -> bool:
    """A complaint or the publisher's own no: not even a confirmation is mailed."""
    return bool(set(site.store.suppressions.reasons(address)) - set(LIFTED_BY_CONFIRMING))
