"""Taking in a sheet of residents: a file upload that answers with what was entered or what is wrong, row by row."""

from __future__ import annotations

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import UploadFile

from app.api.access import locale_of, router
from app.core.actor import current_actor
from app.core.database import get_database
from app.core.errors import InvalidInput
from app.core.i18n import pick_locale, text
from app.core.permissions import Right, needs
from app.domain.people import importing
from app.domain.people.importing import ImportRejected

routes = router("/api/people")

SHOWN_ERRORS = 50
ENVELOPE = 10_000  # what the form around the file may take


async def _file(request: Request) -> tuple[bytes, str]:
    # Read here and not by a parameter: FastAPI would take in any amount before it asks who sends it.
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > importing.MAX_BYTES + ENVELOPE:
        raise InvalidInput("file_large", "file", maximum=importing.MAX_BYTES // 1_000_000)
    async with request.form(max_files=1, max_fields=2) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise InvalidInput("file_missing", "file")
        return await file.read(importing.MAX_BYTES + 1), (file.filename or "")[:200]


@routes.post("/import", max_body_size=importing.MAX_BYTES + ENVELOPE)
@needs(Right.PEOPLE_EDIT)
async def people_import(request: Request) -> Response:
    """Enter a CSV or XLSX sheet of units and residents, all rows or none."""
    actor = current_actor()
    locale = pick_locale(actor.locale, locale_of(request))
    try:
        data, name = await _file(request)
        result = await get_database().write(
            lambda s: importing.import_residents(s, actor, actor.site_id, data, name)
        )
    except InvalidInput as error:
        return JSONResponse(_rejected(text(locale, f"error.{error.code}", **error.params), []), error.status)
    except ImportRejected as error:
        rows = [
            {
                "row": str(fault.row),
                "field": text(locale, f"console.column.{fault.field}"),
                "message": text(locale, f"error.{fault.code}", **fault.params),
            }
            for fault in error.result.errors[:SHOWN_ERRORS]
        ]
        words = text(locale, "error.import_rejected", count=len(error.result.errors))
        return JSONResponse(_rejected(words, rows), error.status)
    return JSONResponse({"units": result.units, "people": result.people})


def _rejected(words: str, rows: list[dict[str, str]]) -> dict[str, object]:
    return {"error": words, "rows": rows}
