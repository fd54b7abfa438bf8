"""What reading finds: in posts, templates, lists of subscribers and digest.toml.

The findings are made where each is read; here is what a person is told who asks why.
"""

from digest.checks.rule import ERROR, INFO, WARNING, Rule

_LEFT_OUT = "The post is left out until it is mended; the others go on."
_OURS = "docs/content.md"
_TEMPLATES = "docs/templates.md"

POSTS = (
    Rule(
        "content/encoding",
        ERROR,
        "A post is UTF-8.",
        f"Accents of any other encoding would come out wrong. {_LEFT_OUT}",
        "Save the file as UTF-8.",
        _OURS,
    ),
    Rule(
        "content/folder",
        ERROR,
        "The content folder is there.",
        "Nothing can be read.",
        "Set content.folder in digest.toml, or run `digest init`.",
        "docs/config.md",
    ),
    Rule(
        "content/unreadable",
        ERROR,
        "Every post can be opened.",
        f"A missing permission or a broken link to a file. {_LEFT_OUT}",
        "Give read permission, or take the file away.",
        _OURS,
    ),
    Rule(
        "content/loop",
        WARNING,
        "No folder links to one above it.",
        "Its posts would be read for ever; they are read once.",
        "Take the symbolic link away.",
        _OURS,
    ),
    Rule(
        "content/folder-name",
        WARNING,
        "No folder is named like a post.",
        "`notes.md/` looks like a post and is none; what is in it is read.",
        "Rename the folder.",
        _OURS,
    ),
    Rule(
        "content/size",
        ERROR,
        "A post has at most a few megabytes.",
        f"It is a mistake more often than a post. {_LEFT_OUT}",
        "Cut it into several, or move it out of the content folder.",
        _OURS,
    ),
    Rule(
        "content/empty",
        WARNING,
        "A post has something in it.",
        "Nothing can be told of it.",
        "Write it, or delete the file.",
        _OURS,
    ),
    Rule(
        "content/duplicate",
        WARNING,
        "Every post has its own id, slug and page.",
        "Readers would get the same page twice; an edit of one would hide the other.",
        "Give each post its own slug or id.",
        "docs/decisions/0001-story-ids.md",
    ),
    Rule(
        "story/label",
        WARNING,
        "Labels are bold.",
        "`TLDR:` without asterisks is prose, and the story lacks what it would have said.",
        "Write **TLDR:**.",
        _OURS,
    ),
    Rule(
        "story/unlabelled",
        INFO,
        "Every heading beside those of stories opens one.",
        "No reader sees what is under a heading without a label.",
        "Begin it with **TLDR:** if it is a story.",
        _OURS,
    ),
    Rule(
        "story/link",
        WARNING,
        "The label **Link** has an address behind it.",
        "The story leads nowhere.",
        "Write **Link:** [title](https://…).",
        _OURS,
    ),
)


def _front(name: str, severity: object, title: str, why: str, fix: str) -> Rule:
    given = ERROR if severity is ERROR else WARNING if severity is WARNING else INFO
    return Rule(f"front-matter/{name}", given, title, why, fix, _OURS)


FRONT_MATTER = (
    _front(
        "none",
        WARNING,
        "A post has front matter.",
        "Title and date are guessed.",
        "Begin the file with --- and title, date and tags.",
    ),
    _front(
        "empty",
        WARNING,
        "Front matter is not empty.",
        "Title and date are guessed.",
        "Write title, date and tags between the fences.",
    ),
    _front(
        "fence",
        ERROR,
        "Front matter begins and ends with ---.",
        _LEFT_OUT,
        "Close it with a line of ---.",
    ),
    _front(
        "syntax",
        ERROR,
        "Front matter is YAML or TOML.",
        _LEFT_OUT,
        "Put values with a colon or a quote in quotes.",
    ),
    _front(
        "size",
        ERROR,
        "Front matter is small.",
        f"It ends where no fence is. {_LEFT_OUT}",
        "Close it with a line of ---.",
    ),
    _front(
        "control",
        ERROR,
        "Front matter holds no control characters.",
        _LEFT_OUT,
        "Delete the character at the place that is named.",
    ),
    _front(
        "alias",
        ERROR,
        "Front matter has no YAML anchors and aliases.",
        f"A few lines of them fill the memory of a machine. {_LEFT_OUT}",
        "Write the value out.",
    ),
    _front(
        "tag",
        ERROR,
        "Front matter has no YAML tags.",
        f"`!!python/object` runs code elsewhere. {_LEFT_OUT}",
        "Take the tag out.",
    ),
    _front(
        "template",
        ERROR,
        "Front matter was filled in.",
        f"`{{{{ title }}}}` is a template's. {_LEFT_OUT}",
        "Write the value, or quote it.",
    ),
    _front(
        "duplicate-key",
        WARNING,
        "Every key is there once.",
        "The last one counts; the author may have meant the first.",
        "Delete one.",
    ),
    _front(
        "kind",
        ERROR,
        "A value is of the kind that its key asks for.",
        _LEFT_OUT,
        "Write text where text is asked for.",
    ),
    _front("title", ERROR, "A post has a title or a heading.", _LEFT_OUT, "Add title: …"),
    _front(
        "date",
        ERROR,
        "Dates are dates, and not far in the future.",
        f"The issue of a post follows from its date. {_LEFT_OUT}",
        "Write YYYY-MM-DD.",
    ),
    _front(
        "undated",
        WARNING,
        "A post has a date.",
        "Without one it is in no issue.",
        "Add date: YYYY-MM-DD, or begin the file's name with it.",
    ),
    _front(
        "two-dates",
        INFO,
        "The file's name and the front matter say the same day.",
        "The front matter counts.",
        "Rename the file.",
    ),
    _front(
        "language",
        WARNING,
        "A language is a code.",
        "The newsletter's language counts.",
        "Write en or pl-PL.",
    ),
    _front(
        "flag",
        WARNING,
        "draft and pinned are true or false.",
        "What cannot be read is taken for false.",
        "Write true or false.",
    ),
    _front(
        "tag-spaces",
        WARNING,
        "Tags are told apart by # or commas.",
        "`a b c` is one tag with spaces.",
        "Write #a #b #c, or set content.split_words.",
    ),
    _front("tag-empty", WARNING, "No tag is empty.", "It is left out.", "Delete the extra comma."),
    _front(
        "tag-number",
        INFO,
        "A tag that is a number is in quotes.",
        "YAML reads 1.10 as 1.1 and 0x10 as 16.",
        "Put it in quotes.",
    ),
    _front(
        "tag-comment",
        ERROR,
        "Tags with # are in quotes.",
        f"YAML takes what follows ` #` for a comment: the tags are gone. {_LEFT_OUT}",
        'Write hashtags: "#ai #llm".',
    ),
)


def _template(name: str, title: str, why: str, fix: str) -> Rule:
    return Rule(f"template/{name}" if name else "template", ERROR, title, why, fix, _TEMPLATES)


OTHERS = (
    _template("", "Every template can be rendered.", "No message can be made.",
              "Mend the line that is named."),
    _template("unclosed", "Tags are closed in the order of their opening.",
              "MRML names no line, and may copy the rest into the mail.", "Close the tag."),
    _template("markup", "`<` is written &lt; and quotes are closed.",
              "What follows cannot be understood.", "Write &lt;."),
    _template("end", "Nothing stands after </mjml>.", "MRML drops it or refuses the file.",
              "End the file with </mjml>."),
    _template("refused", "No tag is used that would harm readers or the program.",
              "mj-include can end the process; fonts and frames call the network.",
              "docs/templates.md says what to use instead."),
    _template("unknown-tag", "Tags are MJML's.", "MRML copies others into the mail as they are.",
              "Correct the name."),
    _template("unknown-attribute", "Attributes are MJML's.", "MRML ignores others.",
              "Correct the name."),
    _template("place", "Tags stand where MJML gives them a place.",
              "MRML moves or drops what stands elsewhere.", "Move it to where the message says."),
    _template("attribute", "Values in attributes end in `| attr`, in double quotes, on one line.",
              "MRML garbles a backslash, a quote and others.", "Write {{ value | attr }}."),
    _template("remote", "No font is loaded from the network.",
              "A third party would learn who reads.", "Use fonts that readers have."),
    Rule("template/unused", WARNING, "Every template is used.",
         "A misspelt name: ours is used instead.", "Rename the file as the message says.",
         _TEMPLATES),
    Rule("template/changed", INFO, "An ejected template is newer than ours.",
         "Ours was mended or improved since you took it; yours stays as it is.",
         "`digest templates check NAME` shows the difference.", _TEMPLATES),
    Rule("subscribers/file", ERROR, "A list of subscribers can be read.",
         "Nobody in it gets anything.", "Save it as CSV in UTF-8 with a column `email`.",
         "docs/subscribers.md"),
    Rule("subscribers/*", ERROR, "Every row of a list of subscribers can be read.",
         "The person in it gets nothing.", "Correct the cell that is named.",
         "docs/subscribers.md"),
    Rule("config/*", ERROR, "Every setting is known and has a value that is accepted.",
         "Nothing runs until it is mended, so that nothing runs by mistake.",
         "docs/config.md lists every setting.", "docs/config.md"),
)  # fmt: skip

RULES = (*POSTS, *FRONT_MATTER, *OTHERS)
