"""Plans and sends what is due: what goes out by itself.

The clock and the ledger decide (`decision`), a tick does it (`tick`). Whatever wakes it up, a timer
in `digest serve` or cron with `digest schedule run-once`, decides nothing.
"""

from digest.scheduler.clockwork import Clockwork
from digest.scheduler.editors import Editors
from digest.scheduler.outlook import Ahead, Outlook, issues_ahead, outlook
from digest.scheduler.pulse import Pulse
from digest.scheduler.survey import Survey, survey
from digest.scheduler.tick import Done, Scheduler

__all__ = [
    "Ahead",
    "Clockwork",
    "Done",
    "Editors",
    "Outlook",
    "Pulse",
    "Scheduler",
    "Survey",
    "issues_ahead",
    "outlook",
    "survey",
]
