"""Every table, imported once, so that migrations and tests see the whole schema."""

from app.core import audit, keys, lease, outbox, search
from app.domain.access import models as access
from app.domain.admission import case_models as cases
from app.domain.admission import models as admission
from app.domain.admission import self_models as self_registrations
from app.domain.booking import models as booking
from app.domain.duty import models as duty
from app.domain.identity import models as identity
from app.domain.integration import models as integration
from app.domain.messages import models as messages
from app.domain.people import models as people
from app.domain.records import models as records
from app.domain.sites import models as sites
from app.domain.sites import webhook_models as webhooks

__all__ = [
    "access",
    "admission",
    "audit",
    "booking",
    "cases",
    "duty",
    "identity",
    "integration",
    "keys",
    "lease",
    "messages",
    "outbox",
    "people",
    "records",
    "search",
    "self_registrations",
    "sites",
    "webhooks",
]
