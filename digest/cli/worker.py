"""`digest worker`: one of any number of machines that send together."""

from digest.cli.audience import keys_of
from digest.cli.exits import Exit
from digest.cli.session import Session, project_command
from digest.cli.stored import required_store


@project_command(name="worker", example="digest worker", goes_on=True)
def command(session: Session) -> int:
    """Send batches of whatever issues are being sent, beside other workers.

    With `workers = true` in [delivery], `digest send` and `digest serve` leave issues to workers,
    which run on any number of machines against one PostgreSQL (docs/scale-out.md). Ctrl-C,
    SIGTERM or SIGHUP stops it when the batch in hand is through.
    """
    store = required_store(session)
    from digest import logs
    from digest.workers import require_queue

    require_queue(store)
    from digest.workers.worker import work

    session.sends = True
    logs.adopt_libraries()
    work(session.config, store, keys_of(session))
    return Exit.DONE
