"""What a user sees when something of ours breaks: an apology with a number, in the reader's language.

Reflex evaluates the annotations of ``handle``, so this module has real ones and no postponed evaluation.
"""

import logging
import secrets

from reflex.event import EventSpec

from state.shell import ShellState

logger = logging.getLogger(__name__)


def handle(exception: Exception) -> EventSpec | None:
    """Log the fault under a number and show the number; the page stays usable."""
    number = secrets.token_hex(3)
    logger.error("Fault %s", number, exc_info=exception)
    return ShellState.fault(number)
