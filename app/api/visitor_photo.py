"""The picture that a visitor adds for one visit: taken in, shown to the visitor, and nothing of it on the way (BK-04, S-10)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from sqlmodel import Session
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from app.adapters import visitor_picture
from app.api.access import router
from app.api.media import NO_STORE
from app.core import i18n, vault
from app.core.actor import Actor, current_actor
from app.core.database import get_database
from app.core.errors import Conflict, InvalidInput, NotFound, TooMany
from app.core.limiter import Limiter
from app.core.permissions import Right, needs
from app.domain.booking import photos
from app.domain.identity import booking_photos
from app.domain.identity.consents import Declared
from app.domain.identity.rules import TERMS, Purpose
from app.runtime.hub import get_hub

routes = router("/api/visitor")

ENVELOPE = 10_000  # what the form around the file may take
MOST_FIELDS = 6
ONE_FACE = "one_face"
UNSEEN = frozenset({"", ONE_FACE})
# Reading a picture costs more than asking for one.
uploads = Limiter(lambda: (10, timedelta(minutes=10)))
# Each may take some hundred megabytes while it is unpacked.
drawing = asyncio.Semaphore(2)
WAIT_SECONDS = 20.0


async def _form(request: Request) -> FormData:
    # Read here and not by a parameter: FastAPI would take in any amount before it asks who sends it.
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > visitor_picture.MOST_BYTES + ENVELOPE:
        raise InvalidInput("file_large", "photo", maximum=visitor_picture.MOST_BYTES // 1_000_000)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise InvalidInput("photo_missing", "photo")
    parser = MultiPartParser(
        request.headers, request.stream(), max_files=1, max_fields=MOST_FIELDS, max_part_size=ENVELOPE
    )
    parser.spool_max_size = visitor_picture.MOST_BYTES + ENVELOPE  # no face in a temporary file
    try:
        return await parser.parse()
    except MultiPartException as error:
        raise InvalidInput("input_wrong") from error


def _word(form: FormData, name: str) -> str:
    value = form.get(name)
    return value[:200] if isinstance(value, str) else ""


async def _read(request: Request) -> tuple[bytes, str, Declared]:
    """The file, the language its notice was shown in, and what was declared; raises before the picture is looked at."""
    form = await _form(request)
    try:
        if _word(form, "agree") != "yes":
            raise InvalidInput("photo_agree", "agree")
        locale = _word(form, "locale")
        if locale not in i18n.LOCALES or _word(form, "notice") != TERMS[Purpose.FACE_VISIT].version:
            raise Conflict("photo_notice")
        declared = Declared(_word(form, "age"), _word(form, "guardian"), _word(form, "guardian_relation"))
        file = form.get("photo")
        if not isinstance(file, UploadFile):
            raise InvalidInput("photo_missing", "photo")
        return await file.read(visitor_picture.MOST_BYTES + 1), locale, declared
    finally:
        await form.close()


async def _drawn(data: bytes) -> bytes:
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await drawing.acquire()
    except TimeoutError as error:
        raise TooMany("too_many", minutes=1) from error
    try:
        return await asyncio.to_thread(visitor_picture.clean, data)
    finally:
        drawing.release()


async def _look(picture: bytes) -> bool:
    """Whether the models saw the one face that must be in it; False where there are none to ask."""
    center = get_hub()
    found = await center.faces.look_at_still(picture) if center is not None else ""
    if found not in UNSEEN:
        raise InvalidInput(f"photo_{found}", "photo")
    return found == ONE_FACE


@routes.post("/photo", max_body_size=visitor_picture.MOST_BYTES + ENVELOPE)
@needs(Right.PASS_OWN)
async def add(request: Request) -> Response:
    """Take in a picture with the consent that was ticked for it; the answer says whether one face was seen in it."""
    actor = current_actor()
    database = get_database()
    await database.read(lambda session: booking_photos.require_offered(session, actor).id)
    uploads.hit(actor.booking_id)
    data, locale, declared = await _read(request)
    picture = await _drawn(data)
    checked = await _look(picture)
    file_id = await asyncio.to_thread(vault.put, picture)
    kept = False
    try:
        await database.write(
            lambda s: booking_photos.add(s, actor, file_id, locale, declared, checked=checked).id
        )
        kept = True
    finally:
        if not kept:
            await asyncio.to_thread(vault.delete, file_id)
    return JSONResponse({"checked": checked}, headers=NO_STORE)


@routes.get("/photo")
@needs(Right.PASS_OWN)
async def own() -> Response:
    """The picture that is stored, for the visitor whose it is."""
    actor = current_actor()
    file_id = await get_database().read(lambda session: _own_file(session, actor))
    return Response(await asyncio.to_thread(vault.get, file_id), media_type="image/jpeg", headers=NO_STORE)


def _own_file(session: Session, actor: Actor) -> str:
    row = photos.of_booking(session, actor.booking_id)
    if row is None:
        raise NotFound("file_unknown")
    return row.file_id
