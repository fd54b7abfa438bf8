"""The two parts of a mail about a subscription, made of `notice.mjml` and `notice.txt`."""

from collections.abc import Mapping

from digest.config import Newsletter
from digest.inline import clean
from digest.translations import Translations


def given(
    newsletter: Newsletter, tr: Translations, values: Mapping[str, object]
) -> dict[str, object]:
    """What the templates of a notice are given: plain texts, which they escape."""
    return {
        "tr": tr,
        "lang": tr.code,
        "dir": tr.direction,
        "newsletter": clean(newsletter.name),
        "address": ", ".join(map(clean, newsletter.postal_address.splitlines())),
        **values,
    }
