"""The exceptions of the product, cut by what the caller can do about them.

    DigestError                 something about this run; the message says what to do
    ├── ContentError            one post is bad: list it, go on with the others
    ├── TemplateError           one template is bad: nothing can be rendered
    ├── SubscribersError        the subscriber file as a whole cannot be read
    ├── StoreError              the database cannot be used, or refuses what was asked
    ├── StaleError              a plan is not what would be sent any more; `changes` says why
    ├── FilterError             a tag expression cannot be parsed
    ├── TokenError              a signed link is forged, truncated or for another purpose
    └── ProviderError           the provider refused; `outcome` says permanent, temporary or unknown

    ConfigError                 outside the tree: nothing that carries on may swallow it
    └── NoConfigError           there is no digest.toml at all

Every message names file, line, key, the value seen, and what would be accepted.
"""

from enum import StrEnum


class ConfigError(Exception):
    """`digest.toml` or the environment is wrong; nothing can run until it is mended.

    `findings` lists every problem found, so that one run shows them all.
    """

    def __init__(self, message: str, findings: "tuple[object, ...]" = ()) -> None:
        super().__init__(message)
        self.findings = findings


class NoConfigError(ConfigError):
    """There is no `digest.toml`, here or above."""


class DigestError(Exception):
    """Base of everything that can go wrong in one run. `hint` is the next thing to try."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ContentError(DigestError):
    """A post cannot be read. `line` is 1-based in the file; `key` a front matter key or empty."""

    def __init__(
        self, message: str, *, path: str = "", line: int = 0, key: str = "", hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.path, self.line, self.key = path, line, key


class TemplateError(DigestError):
    """A template cannot be rendered. `path` names the template file, `line` is 1-based or 0."""

    def __init__(self, message: str, *, path: str = "", line: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.path, self.line = path, line


class SubscribersError(DigestError):
    """A list of subscribers cannot be read at all (missing, not text, no `email` column).

    `path` names the file, where it is one file's fault; `line` is 1-based or 0.
    """

    def __init__(self, message: str, *, path: str = "", line: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.path, self.line = path, line


class StoreError(DigestError):
    """The database cannot be used (locked, full, too new), or holds what forbids the request."""


class StaleError(DigestError):
    """What an issue was planned from has changed. `changes` names each thing, in words."""

    def __init__(self, message: str, *, changes: "tuple[str, ...]" = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.changes = changes


class FilterError(DigestError):
    """A tag expression is malformed. `position` is the 0-based column of the offending word."""

    def __init__(self, message: str, *, position: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.position = position


class TokenError(DigestError):
    """A signed link is not ours. Forged, truncated and wrong-purpose tokens are not told apart."""


class Outcome(StrEnum):
    """What a provider's failure means; retry policy is elsewhere and pure."""

    PERMANENT = "permanent"  # will never work for this delivery: record and go on
    TEMPORARY = "temporary"  # was certainly not taken: may be retried
    UNKNOWN = "unknown"  # handed over, no answer: never retried by itself


class ProviderError(DigestError):
    """The provider did not take a message; `outcome` says whether it may be retried.

    `retry_after`: the seconds that it asks us to wait; 0: it did not say.
    """

    def __init__(
        self, message: str, *, outcome: Outcome, hint: str = "", retry_after: float = 0.0
    ) -> None:
        super().__init__(message, hint=hint)
        self.outcome, self.retry_after = outcome, retry_after
