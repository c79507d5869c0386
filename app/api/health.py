"""For whoever watches the process from outside; tells nothing about the business."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from app.api.access import router
from app.core import clock
from app.core.database import get_database
from app.core.permissions import Right, needs

routes = router()


@routes.get("/healthz")
@needs(Right.PUBLIC)
async def healthz() -> dict[str, Any]:
    """Whether the database answers and the clock is to be trusted."""
    await get_database().read(lambda session: session.connection().execute(text("SELECT 1")).scalar())
    return {"status": "ok", "clock": "ok" if clock.current().trusted() else "set_back"}
