"""Where in a post something stands that a story says. Pure: the texts are an argument."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from digest.models import Story

_PROBE = 24  # characters of a text that find its line; it may go on over the next


@dataclass(frozen=True, slots=True)
class Places:
    """The text of each post by its path, so far as it is known, and what was looked up in it."""

    texts: Mapping[str, str] = field(default_factory=dict)
    _lines: dict[str, list[str]] = field(default_factory=dict)

    def line(self, story: Story, needle: str) -> int:
        """The first line at or below the story's heading that holds `needle`, else the heading's.

        White space counts as in a story: any run of it is one space.
        """
        lines = self._of(story.post)
        start = max(story.line - 1, 0)
        for probe in (needle, needle[:_PROBE]):
            if not probe.strip():
                continue
            for number, line in enumerate(lines[start:], start=start + 1):
                if probe in line or probe in " ".join(line.split()):
                    return number
        return story.line

    def last(self, story: Story, needle: str) -> int:
        """The last line of the post that holds `needle`, else the story's heading."""
        lines = self._of(story.post)
        found = [n for n, line in enumerate(lines, start=1) if needle in line]
        return found[-1] if found else story.line

    def key(self, story: Story, names: tuple[str, ...], needle: str = "") -> int:
        """The line of the first of these front matter keys, or of `needle` below it; else 1."""
        lines = self._of(story.post)
        for number, line in enumerate(lines, start=1):
            name = line.partition(":")[0].strip().strip("\"'").lower()
            if name in names:
                below = range(number, min(number + 40, len(lines)) + 1)
                return next((n for n in below if needle and needle in lines[n - 1]), number)
        return 1

    def _of(self, path: str) -> list[str]:
        if path not in self._lines:
            self._lines[path] = self.texts.get(path, "").splitlines()
        return self._lines[path]
