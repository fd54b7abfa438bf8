"""A provider for tests of commands: whatever carrier was put here."""

from digest.config import Config
from tests.store.sending import Carrier

CARRIER = Carrier()


def connect(_config: Config) -> Carrier:
    """As the module of any provider has it."""
    return CARRIER
