"""Tags that were misspelt, forgotten, or that nobody follows. Pure."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from digest.checks.nearness import Nearest, pairs, plural
from digest.checks.places import Places
from digest.checks.rule import INFO, WARNING, Rule
from digest.hashtags import Vocabulary
from digest.models import Finding, Preferences, Story

MANY = 15
RARE, FREQUENT = 1, 3  # posts: what is used once may be a slip of what is used thrice

NONE = Rule(
    "tag/none",
    WARNING,
    "Every story has a tag that readers can follow.",
    "Without one it reaches only those who subscribed to everything.",
    "Add a topic to the post's tags; markers and languages are none.",
    "docs/content.md",
)
NEAR = Rule(
    "tag/near",
    WARNING,
    "No tag is another one misspelt.",
    "`#kuberntes` reaches nobody who follows `#kubernetes`. A tag of one post is held against "
    "those of three and more, and those that an alias leads to; words that are merely alike, or "
    "that one post has both of, are not told.",
    "Correct it, or make it an alias in [tags.aliases].",
    "SymSpell's deletions; slips on a keyboard",
)
NUMBER = Rule(
    "tag/plural",
    INFO,
    "A tag has one number: #agent or #agents.",
    "Readers follow one of them and miss the stories of the other.",
    'Choose one, and make the other an alias: [tags.aliases] agent = "agents".',
    "measured over the tags of real posts",
)
MANY_TAGS = Rule(
    "tag/many",
    WARNING,
    f"A post has at most {MANY} tags.",
    "With twenty it reaches readers whom one of them hardly touches, and they unsubscribe.",
    "Keep those that a follower would thank you for.",
    "measured: 99 in 100 real posts have at most 11",
)
UNFOLLOWED = Rule(
    "tag/unfollowed",
    INFO,
    "Somebody follows a tag of each story.",
    "Only those who subscribed to everything get a story whose tags nobody follows.",
    "Add a broader tag that has followers: `digest tags list`.",
    "docs/cli.md",
)
PERSONA = Rule(
    "tag/persona",
    WARNING,
    "Every tag of a persona is a tag of some post.",
    "The persona looks through a reader's eyes; with a misspelt tag it sees less than they do.",
    "Correct it in digest.toml.",
    "docs/config.md",
)
FOLLOWED = Rule(
    "tag/followed",
    WARNING,
    "No reader follows a tag that is misspelt.",
    "They asked for a topic and get nothing of it.",
    "`digest tags merge` gives them the right one, or make it an alias in [tags.aliases].",
    "docs/subscribers.md",
)

RULES = (NONE, NEAR, NUMBER, MANY_TAGS, UNFOLLOWED, PERSONA, FOLLOWED)
KEYS = ("tags", "hashtags", "tag", "keywords", "categories", "topics")


def check_stories(
    stories: Sequence[Story], places: Places, vocabulary: Vocabulary
) -> Iterator[Finding]:
    """The tags of all posts, each post once. The more posts there are, the better it is known."""
    posts = {story.post: story for story in reversed(stories) if not story.draft}
    uses = Counter(vocabulary.key(tag) for story in posts.values() for tag in story.tags)
    known = Counter(dict.fromkeys(vocabulary.aliases.values(), FREQUENT)) | uses  # named on purpose
    slips = dict(pairs(known, RARE, FREQUENT))
    numbers = dict(_numbers(known))
    for path in sorted(posts):
        story = posts[path]
        own = {vocabulary.key(tag): tag for tag in story.tags}
        if not own:
            line = places.key(story, KEYS)
            yield NONE.at(path, line, "no tag that readers can follow", key="tags")
        if len(own) > MANY:
            yield MANY_TAGS.at(
                path, places.key(story, KEYS), f"{len(own)} tags; at most {MANY}", key="tags"
            )
        for key, tag in own.items():
            rule, meant = (NEAR, slips[key]) if key in slips else (NUMBER, numbers.get(key, ""))
            if meant and meant not in own:
                right = vocabulary.spelling(meant)
                line = places.key(story, KEYS, tag)
                fix = f"did you mean #{right}?"
                yield rule.at(path, line, f"#{tag} is used once", key="tags", fix=fix)


def check_personas(
    personas: Mapping[str, Preferences],
    vocabulary: Vocabulary,
    used: Collection[str],
    settings: tuple[str, Mapping[str, int]],
) -> Iterator[Finding]:
    """Tags of personas that no post has. `used` are keys; `settings` the file, and key -> line."""
    near = Nearest(dict.fromkeys(used, 1))
    path, lines = settings
    for name, wanted in personas.items():
        for tag in (*wanted.tags, *wanted.muted):
            key = vocabulary.key(tag)
            if key not in used:
                meant = near.of(key)
                fix = f"did you mean #{vocabulary.spelling(meant)}?" if meant else ""
                place = f"personas.{name}.{'tags' if tag in wanted.tags else 'muted'}"
                severity = WARNING if meant else INFO  # it may be a topic still to come
                yield PERSONA.at(
                    path,
                    lines.get(place, 0),
                    f"no post has #{tag}",
                    key=place,
                    fix=fix,
                    severity=severity,
                )


def check_followers(
    followers: Mapping[str, int], vocabulary: Vocabulary, used: Collection[str]
) -> Iterator[Finding]:
    """Tags (spelling -> readers) that are followed, that no post has, and that are near one."""
    near = Nearest(dict.fromkeys(used, 1))
    for tag, number in followers.items():
        key = vocabulary.key(tag)
        if number and key not in used and (meant := near.of(key)):
            fix = f"did you mean #{vocabulary.spelling(meant)}?"
            readers = "1 reader follows" if number == 1 else f"{number:,} readers follow"
            yield FOLLOWED.at(f"#{tag}", 0, f"{readers} what no post has", key="tags", fix=fix)


def check_unfollowed(
    stories: Sequence[Story], places: Places, vocabulary: Vocabulary, followed: Collection[str]
) -> Iterator[Finding]:
    """Stories none of whose tags has a follower; `followed` are keys."""
    for story in stories:
        keys = {vocabulary.key(tag) for tag in story.tags}
        if keys and not keys & set(followed):
            shown = " ".join(f"#{tag}" for tag in story.tags[:5])
            shown += " …" if len(story.tags) > 5 else ""
            line = places.key(story, KEYS)
            yield UNFOLLOWED.at(story.post, line, f"nobody follows {shown}", key="tags")


def _numbers(uses: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """(word used once, its other number that is used thrice)."""
    for word, number in uses.items():
        if number <= RARE and len(word) >= 4:
            others = (f"{word}s", f"{word}es", word.removesuffix("s"), word.removesuffix("es"))
            known = [other for other in others if uses.get(other, 0) >= FREQUENT]
            if known and plural(word, known[0]):
                yield word, known[0]
