"""One issue that a person would like to read, for tests that look at it: `page("en")`."""

from functools import cache
from pathlib import Path

from digest.layout import Slot
from digest.models import Preferences, Story
from digest.renderer import Renderer
from digest.translations import translations
from digest.wording import intro, preheader, salutation, subject, why
from tests.invented import ISSUE, settings
from tests.stories import story

BLOG = "https://blog.example.com/posts"
STORIES: tuple[Story, ...] = (
    story(
        "pgroll",
        "postgres migrations python",
        title="Zero-downtime Postgres migrations with `pgroll`",
        tldr="We moved 214 tables to **expand/contract** migrations and stopped taking "
        "maintenance windows. Here is the runbook, the two outages we caused while learning, and "
        "the guard-rails we keep in CI, so that the next team needs an afternoon for the same.",
        takeaways=(
            "Every schema change ships as *two deploys*: expand, then contract",
            "`lock_timeout=3s` plus retry beats a long lock every time",
            "Backfills run in batches of 5,000 rows, with a brake on replica lag",
            "Views hide the renamed columns, so old and new code run side by side for a day",
            "The linter in CI refuses 9 of 10 dangerous statements before a person reads them",
        ),
        tradeoffs=(
            "Two deploys a change slow small teams down in the first month",
            "Views cost about 2% on hot paths",
        ),
        link="https://www.example.org/pgroll-in-anger",
        url=f"{BLOG}/zero-downtime-postgres",
        words=1750,
    ),
    story(
        "weights",
        "ai llm open-source",
        title="Open weights, closed books: what the licences of language models really allow",
        tldr="Nine of the twelve most used open models publish weights and nothing else. We read "
        "the licences, the [data cards](https://example.org/cards) and the training reports, and "
        "rank what a company can rely on when it builds on one of them.",
        takeaways=(
            "Weights alone let you run a model, not rebuild or audit it",
            "Four licences forbid uses that most products will meet within a year",
            "Two vendors changed the terms of a model after its release",
            "A data card with dates is the best single sign of care",
            "Keep a second model warm: switching costs days, not months",
        ),
        tradeoffs=("Fully open models trail the best open weights by about six months",),
        link="https://letters.example.net/p/open-weights",
        url=f"{BLOG}/open-weights",
        generated=True,
        disclaimer="This summary was made from a newsletter; its views belong to its authors.",
        words=1120,
    ),
    story(
        "rota",
        "engineering-culture on-call",
        title="What our on-call rota looks like after three years",
        tldr="Six people, one-week shifts, a paid follow-up day. Pages per shift fell from 31 to "
        "4, and the three changes that moved the number are boring.",
        takeaways=(
            "Delete alerts nobody acted on for 30 days",
            "Pay the follow-up day; it costs less than attrition",
            "Review the pager every Friday, in public",
        ),
        url=f"{BLOG}/on-call",
        words=1000,
    ),
    story(
        "latency",
        "observability wydajność",
        title="Jak mierzyć opóźnienia, żeby nie oszukiwać samego siebie",
        tldr="Średnia ukrywa to, co boli użytkowników. Pokazujemy, jak zbierać histogramy zamiast "
        "średnich, dlaczego *coordinated omission* psuje testy obciążeniowe i jak jednym wykresem "
        "przekonać zespół, że p99 to nie jest „przypadek brzegowy”.",
        takeaways=(
            "Mierz po stronie klienta, nie tylko serwera",
            "Histogram o stałym błędzie zajmuje 2 kB na minutę",
            "Percentyli nie wolno uśredniać między maszynami",
        ),
        link="https://przyklad.example/opoznienia",
        language="pl",
        words=1400,
    ),
    story(
        "otel",
        "observability opentelemetry",
        title="A small guide to OpenTelemetry sampling",
        tldr="Head sampling hides the requests you care about. We compare tail sampling at the "
        "collector with probabilistic sampling at the SDK, on cost and on debugging time.",
        takeaways=(
            "Keep 100% of errors and slow traces; sample the rest at 2%",
            "Tail sampling needs sticky routing by trace id",
            "Budget 1.2 GB of memory per 10,000 spans a second",
            "Write the sampling rate into each span, or your counts lie",
        ),
        tradeoffs=("Tail sampling moves cost from storage to the collectors",),
        url=f"{BLOG}/otel-sampling",
        words=2400,
    ),
)
# Words as wide as nothing on a telephone is.
WIDE = story(
    "wide",
    title="One word: " + "x" * 120,
    tldr="See `" + "y" * 150 + "` and <https://example.org/" + "z" * 90 + ">",
    url=f"{BLOG}/wide",
)
MORE: tuple[Story, ...] = (
    story("uv", title="`uv` in a monorepo: what broke", url=f"{BLOG}/uv", words=700),
    story("queues", title="The case for boring queues", url=f"{BLOG}/queues", words=450),
)
READER = Preferences(tags=("postgres", "observability", "ai", "on-call"), muted=("crypto",))


def values(language: str) -> dict[Slot, str]:
    """What Ana is told around these stories."""
    tr = translations(language)
    page = "https://news.example.com/p/AAAABBBBCCCC"
    return {
        Slot.SUBJECT: subject(STORIES, tr),
        Slot.PREHEADER: preheader(STORIES, tr),
        Slot.INTRO: intro(STORIES, ISSUE.cadence, tr),
        Slot.SALUTATION: salutation("Ana", tr),
        Slot.WHY: why(READER, ISSUE.cadence, tr),
        Slot.VIEW_URL: f"https://news.example.com/i/{ISSUE.id}/AAAABBBBCCCC",
        Slot.FEEDBACK_URL: f"https://news.example.com/f/{ISSUE.id}/AAAABBBBCCCC",
        Slot.PREFERENCES_URL: page,
        Slot.PAUSE_URL: f"{page}#pause",
        Slot.UNSUBSCRIBE_URL: "https://news.example.com/u/AAAABBBBCCCC",
    }


@cache
def page(language: str, *further: Story) -> str:
    """The HTML of the whole message; `further` stories come last."""
    renderer = Renderer(None, settings(Path("project")))
    return renderer.whole((*STORIES, *further), MORE, ISSUE, language, values(language))[1]
