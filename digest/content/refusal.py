"""How the reading of one post ends early: with one finding that says why."""

from digest.errors import ContentError
from digest.models import Finding, Severity


class RefusedError(ContentError):
    """The post is left out because of `finding`; the others go on."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(
            finding.message,
            path=finding.path,
            line=finding.line,
            key=finding.key,
            hint=finding.fix,
        )
        self.finding = finding


def refuse(
    path: str, line: int, check: str, message: str, key: str = "", fix: str = ""
) -> RefusedError:
    """A `RefusedError` to raise. `check` is the stable id of the finding."""
    return RefusedError(Finding(path, line, check, Severity.ERROR, message, key, fix))
