"""What each mail program makes of the mail: a verdict in words, and no score."""

from digest.clients import Answer, Verdict, table, verdicts

_NO_MEDIA, _NO_DARK = "css-at-media", "css-at-media-prefers-color-scheme"
_SEEN = {  # what a reader sees where a program leaves one of these out
    "css-border-radius": "square corners",
    _NO_MEDIA: "the same layout on every width",
    _NO_DARK: "dark colours are the program's own",
}


def clients(html: str) -> dict[str, object]:
    """A verdict per program, and how old the data is: guidance, not a screenshot."""
    known = table()
    return {
        "updated": known.updated,
        "source": f"caniemail {known.version}",
        "clients": [_client(verdict) for verdict in verdicts(html)],
    }


def _client(verdict: Verdict) -> dict[str, object]:
    left_out = {answer.feature.slug for answer in verdict.broken}
    seen = [words for slug, words in _SEEN.items() if slug in left_out]
    graceful = [one for one in verdict.broken if one not in verdict.missed]
    return {
        "name": verdict.client,
        "verdict": verdict.summary,
        "says": "; ".join(seen),
        "missed": [_answer(answer) for answer in verdict.missed],
        "graceful": [_answer(answer) for answer in graceful],
        "partial": [_answer(answer) for answer in verdict.partial],
    }


def _answer(answer: Answer) -> dict[str, str]:
    return {
        "title": answer.feature.title,
        "note": answer.note,
        "tested": answer.feature.tested,
    }
