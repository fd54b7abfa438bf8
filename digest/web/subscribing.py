"""`/`: the form for new subscribers. It mails a link, and makes nobody a subscriber."""

from hashlib import blake2b

from starlette.responses import Response
from starlette.routing import BaseRoute

from digest.addresses import normalise
from digest.models import Preferences
from digest.store import Consent, Wish
from digest.translations import Translations
from digest.web import asking, choices, honesty
from digest.web.choices import Choice
from digest.web.looks import language
from digest.web.rhythm import choosable, when
from digest.web.site import Site
from digest.web.visits import Visit, route

INVALID = 422
# Where somebody may look for our mail at once; the domain alone says which.
WEBMAIL = {
    "gmail.com": ("Gmail", "https://mail.google.com/"),
    "outlook.com": ("Outlook", "https://outlook.live.com/mail/"),
    "hotmail.com": ("Outlook", "https://outlook.live.com/mail/"),
    "proton.me": ("Proton Mail", "https://mail.proton.me/"),
    "yahoo.com": ("Yahoo", "https://mail.yahoo.com/"),
    "icloud.com": ("iCloud", "https://www.icloud.com/mail/"),
    "wp.pl": ("WP Poczta", "https://poczta.wp.pl/"),
}


def routes(site: Site) -> list[BaseRoute]:
    return [route(site, "/", _form, _subscribe)]


def consent_text(site: Site, tr: Translations) -> str:
    """What somebody agrees to by sending the form; it is kept with their consent."""
    text = tr.gettext("I want to get %(newsletter)s by email. I can stop at any time.")
    return text % {"newsletter": site.config.newsletter.name}


def consent(visit: Visit, how: str, text: str, source: str) -> Consent:
    """Evidence that somebody agreed, now, to this text; its version names the exact wording."""
    version = blake2b(text.encode(), digest_size=4).hexdigest()
    return Consent(visit.site.now(), how, text, version, source)


def _form(visit: Visit) -> Response:
    spoken = language(visit.request, visit.site)
    return _shown(visit, Choice(language=choices.mixed(visit.site, spoken)), "", {})


def _subscribe(visit: Visit) -> Response:
    site, tr = visit.site, visit.translations()
    if not site.config.web.sign_up:
        return _form(visit)
    email = visit.text("email")
    if honesty.baited(visit):
        return check_inbox(visit, email)
    choice = choices.read(visit, choices.offered(site))
    mistakes = {**_address_mistakes(email, tr), **choices.mistakes(choice, tr)}
    if not mistakes and not honesty.timely(visit):
        mistakes = {"form": tr.gettext("Please look this over and send it once more")}
    if mistakes:
        return _shown(visit, choice, email, mistakes)
    site.restraint.mail(visit.asker)
    cadence = choices.cadence_of(choice, site)
    given = consent(visit, "form", consent_text(site, tr), site.url("/"))
    asking.to_subscribe(site, email, Wish(choice.preferences, cadence, "", given), tr)
    return check_inbox(visit, email)


def check_inbox(visit: Visit, email: str, reader: Preferences | None = None) -> Response:
    """What everybody is told who typed an address; in the language of `reader`, who did."""
    webmail = WEBMAIL.get(email.rpartition("@")[2].lower())
    return visit.page("check-inbox.html", reader=reader, email=email, webmail=webmail, own="")


def _address_mistakes(email: str, tr: Translations) -> dict[str, str]:
    try:
        normalise(email)
    except ValueError:
        return {"email": tr.gettext("Enter an email address, like ana@example.com")}
    return {}


def _shown(visit: Visit, choice: Choice, email: str, mistakes: dict[str, str]) -> Response:
    site, tr = visit.site, visit.translations()
    spoken = language(visit.request, site)
    return visit.page(
        "subscribe.html",
        status=INVALID if mistakes else 200,
        headers={"X-Robots-Tag": "all"},
        choice=choice,
        email=email,
        mistakes=mistakes,
        topics=choices.offered(site),
        known=site.topics(),
        mixed=choices.mixed(site, spoken),
        cadences=[(one, when(site.config, one, tr)) for one in site.config.schedule],
        choosable=choosable(site.config),
        consent=consent_text(site, tr),
        bait=honesty.BAIT,
        stamp=honesty.stamp(site.keys, site.now()),
        spoken=spoken,
    )
