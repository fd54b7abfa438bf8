"""Hand the deliveries of an issue to the provider, so that after any crash each is accounted for.

With a store an issue is sent by the ledger (`Job`, `run`); without one by `send`, which leaves the
remembering to the provider and so is for the outbox alone. One step of it is one function,
`Hands.send_one_batch`.
"""

from digest.sender.handing import Material
from digest.sender.hands import OUTAGES, Hands, Job, utc_now
from digest.sender.journal import JOURNALS
from digest.sender.run import Report, run
from digest.sender.stopping import Stopping
from digest.sender.unledgered import HandOver, send

__all__ = [
    "JOURNALS",
    "OUTAGES",
    "HandOver",
    "Hands",
    "Job",
    "Material",
    "Report",
    "Stopping",
    "run",
    "send",
    "utc_now",
]
