"""A visitor's picture over the route: hostile files, strangers, no consent; and nothing of the file's own left in it (BK-04)."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from datetime import timedelta

import httpx
import numpy as np
import pytest
from PIL import Image, ImageDraw
from sqlmodel import select

from app.adapters import visitor_picture
from app.adapters.visitor_picture import MOST_BYTES, SIDE
from app.api.visitor_photo import ENVELOPE
from app.core import clock, vault
from app.core.errors import InvalidInput
from app.core.settings import get_settings
from app.domain.access import invitations
from app.domain.booking.models import Booking, BookingPhoto
from app.domain.identity import repository
from app.domain.identity.models import ConsentRecord
from app.domain.identity.rules import TERMS, Purpose
from app.domain.people import sessions
from tests.api.gate import Gate
from tests.factories import invitation

ADDRESS = "/api/visitor/photo"
FORM = {"agree": "yes", "age": "older", "locale": "zh-CN", "notice": TERMS[Purpose.FACE_VISIT].version}
WORDS = b"GPS of somebody's home"


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.close()


class Visitor:
    """A guest with the pass open on the phone."""

    def __init__(self, gate: Gate) -> None:
        form = invitation(gate.world)
        self.booking: Booking = gate.world.do(invitations.invite, gate.world.host, form)[0]
        self.gate = gate
        until = clock.now() + timedelta(hours=4)
        secret = gate.world.do(sessions.open_visitor_session, self.booking.id, until, "127.0.0.1")
        self.client = httpx.Client(
            base_url=gate.url,
            cookies={"gatehouse_visit": secret},
            headers={"Origin": gate.url},
            trust_env=False,
            timeout=30,
        )

    def send(self, data: bytes, name: str = "me.jpg", **changes: str) -> httpx.Response:
        form = {key: value for key, value in {**FORM, **changes}.items() if value}
        return self.client.post(ADDRESS, data=form, files={"photo": (name, data, "image/jpeg")})

    def kept(self) -> BookingPhoto | None:
        query = select(BookingPhoto).where(BookingPhoto.booking_id == self.booking.id)
        found: BookingPhoto | None = self.gate.world.ask(lambda session: session.exec(query).first())
        return found

    def consent(self) -> ConsentRecord | None:
        found: ConsentRecord | None = self.gate.world.ask(
            repository.newest_consent, self.booking.visitor_id, Purpose.FACE_VISIT
        )
        return found


@pytest.fixture
def visitor(gate: Gate) -> Iterator[Visitor]:
    made = Visitor(gate)
    yield made
    made.client.close()


def drawing(width: int = 640, height: int = 480) -> Image.Image:
    picture = Image.new("RGB", (width, height), "navy")
    ImageDraw.Draw(picture).rectangle((0, 0, width // 2, height // 2), fill="orange")
    return picture


def encoded(kind: str = "JPEG", picture: Image.Image | None = None, **options: object) -> bytes:
    out = io.BytesIO()
    (picture or drawing()).save(out, kind, **options)
    return out.getvalue()


def with_exif(orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "A phone of somebody"
    exif.get_ifd(0x8825)[2] = (31.0, 13.0, 49.0)
    exif.get_ifd(0x8825)[29] = WORDS.decode()
    return encoded(exif=exif.tobytes(), comment=WORDS)


def png_of(width: int, height: int) -> bytes:
    """A PNG whose header says it is so large; the rest of it is a few bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 9))
        + chunk(b"IEND", b"")
    )


def jpeg_of(width: int, height: int) -> bytes:
    """A small JPEG whose frame header says it is so large."""
    data = bytearray(encoded())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


# --- what is taken in -------------------------------------------------------------------------------------------------


@pytest.mark.req("BK-04")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_is_drawn_anew_sealed_and_shown_to_its_owner_alone(visitor: Visitor, kind: str) -> None:
    data = encoded(kind, drawing(3000, 2000))
    answer = visitor.send(data)
    assert (answer.status_code, answer.json()) == (200, {"checked": False})
    row = visitor.kept()
    assert row is not None
    assert row.checked is False
    stored = vault.get(row.file_id)
    with Image.open(io.BytesIO(stored)) as picture:
        assert (picture.format, picture.size, dict(picture.getexif())) == ("JPEG", (SIDE, 683), {})
    shown = visitor.client.get(ADDRESS)
    assert (shown.content, shown.headers["content-type"]) == (stored, "image/jpeg")
    assert "no-store" in shown.headers["cache-control"]
    raw = (get_settings().data_dir / "vault" / row.file_id[-2:] / row.file_id).read_bytes()
    assert stored[:200] not in raw
    consent = visitor.consent()
    assert consent is not None
    assert (consent.channel, consent.notice_locale) == ("link", "zh-CN")


@pytest.mark.req("BK-04")
def test_where_it_was_taken_and_by_what_does_not_come_along(visitor: Visitor) -> None:
    data = with_exif()
    assert WORDS in data
    assert visitor.send(data).status_code == 200
    row = visitor.kept()
    assert row is not None
    stored = vault.get(row.file_id)
    assert WORDS not in stored
    assert b"Exif" not in stored
    assert b"phone of somebody" not in stored


def test_a_picture_taken_sideways_stands_upright(visitor: Visitor) -> None:
    cleaned = visitor_picture.clean(with_exif(orientation=6))
    with Image.open(io.BytesIO(cleaned)) as picture:
        assert picture.size == (480, 640)
        # The orange corner was top left; turned clockwise it is top right.
        assert np.asarray(picture)[10, -10].tolist()[0] > 200


@pytest.mark.parametrize("mode", ["RGBA", "LA", "L", "P", "CMYK"])
def test_any_kind_of_colours_will_do(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    with Image.open(io.BytesIO(visitor_picture.clean(encoded(kind, drawing().convert(mode))))) as picture:
        assert picture.mode == "RGB"


# --- hostile files ----------------------------------------------------------------------------------------------------


def hostile() -> dict[str, tuple[bytes, str]]:
    whole = encoded(quality=95)
    return {
        "empty": (b"", "photo_missing"),
        "text": (b"<?php system($_GET['c']); ?>" * 20, "photo_format"),
        "html": (b"<!doctype html><script>alert(1)</script>" * 20, "photo_format"),
        "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>' * 9, "photo_format"),
        "gif": (encoded("GIF"), "photo_format"),
        "bmp": (encoded("BMP"), "photo_format"),
        "tiff": (encoded("TIFF"), "photo_format"),
        "pdf": (b"%PDF-1.7\n" + b"0" * 500, "photo_format"),
        "zip": (b"PK\x03\x04" + b"\0" * 500, "photo_format"),
        "heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 500, "photo_heic"),
        "avif": (b"\0\0\0\x1cftypavif\0\0\0\0" + b"\0" * 500, "photo_heic"),
        "cut off": (whole[: len(whole) // 2], "photo_broken"),
        "header alone": (whole[:4], "photo_format"),
        "bomb png": (png_of(60_000, 60_000), "photo_pixels"),
        "large png": (png_of(9_000, 9_000), "photo_pixels"),
        "long png": (png_of(2_000_000, 200), "photo_pixels"),
        "bomb jpeg": (jpeg_of(65_000, 65_000), "photo_pixels"),
        "png without a picture": (png_of(400, 400), "photo_broken"),
        "tiny": (encoded("PNG", drawing(40, 40)), "photo_tiny"),
        "thin": (encoded("PNG", drawing(4000, 20)), "photo_tiny"),
    }


@pytest.mark.req("BK-04")
@pytest.mark.parametrize("name", sorted(hostile()))
def test_what_is_no_picture_is_refused_in_words_and_leaves_nothing(gate: Gate, name: str) -> None:
    data, code = hostile()[name]
    visitor = Visitor(gate)
    before = len(list((get_settings().data_dir / "vault").rglob("*")))
    answer = visitor.send(data)
    assert (answer.status_code, answer.json()["error"]) == (422, code)
    assert answer.json()["message"]
    assert answer.json()["field"] == "photo"
    assert visitor.kept() is None
    assert visitor.consent() is None
    assert len(list((get_settings().data_dir / "vault").rglob("*"))) == before
    visitor.client.close()


def test_a_picture_of_a_thousand_scans_is_refused_before_it_is_unpacked() -> None:
    data = encoded(progressive=True)
    assert visitor_picture.clean(data)
    last = data.rindex(visitor_picture.SCAN)
    scan = data[last:-2]
    with pytest.raises(InvalidInput) as refused:
        visitor_picture.clean(data[:-2] + scan * 1000 + data[-2:])
    assert refused.value.code == "photo_broken"


@pytest.mark.req("BK-04")
@pytest.mark.parametrize(
    "tail", [b"<script>alert(1)</script>", b"PK\x03\x04hidden.zip", b"<?php eval($_POST[0]);"]
)
def test_what_hides_behind_a_picture_is_gone(visitor: Visitor, tail: bytes) -> None:
    data = encoded(comment=tail) + tail * 50
    assert visitor.send(data, name="me.jpg.php").status_code == 200
    row = visitor.kept()
    assert row is not None
    assert tail not in vault.get(row.file_id)
    shown = visitor.client.get(ADDRESS)
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.headers["x-content-type-options"] == "nosniff"


@pytest.mark.req("BK-04")
def test_beyond_eight_megabytes_nothing_is_read(visitor: Visitor) -> None:
    whole = encoded()
    exact = whole + b"\0" * (MOST_BYTES - len(whole))
    assert visitor.send(exact).status_code == 200
    visitor.client.post("/api/visitor/close")
    other = Visitor(visitor.gate)
    answer = other.send(exact + b"\0")
    assert (answer.status_code, answer.json()["error"]) == (422, "file_large")
    assert "8 MB" in answer.json()["message"]
    answer = other.send(exact + b"\0" * 2 * ENVELOPE)
    assert answer.status_code in {413, 422}
    assert other.kept() is None
    # A body of unknown length is not taken in to find out.
    stream = other.client.post(
        ADDRESS,
        content=iter([b"x" * 1000] * 20_000),
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert stream.status_code in {413, 422}
    other.client.close()


# --- who and under what -----------------------------------------------------------------------------------------------


@pytest.mark.req("BK-04", "ID-06")
@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"agree": ""}, 422, "photo_agree"),
        ({"agree": "no"}, 422, "photo_agree"),
        ({"age": ""}, 422, "age_missing"),
        ({"age": "under_14"}, 422, "guardian_missing"),
        ({"age": "under_14", "guardian": "周建国"}, 422, "guardian_missing"),
        ({"notice": "2020-01"}, 409, "photo_notice"),
        ({"notice": ""}, 409, "photo_notice"),
        ({"locale": "xx"}, 409, "photo_notice"),
    ],
)
def test_without_the_consent_nothing_is_kept(
    visitor: Visitor, changes: dict[str, str], status: int, code: str
) -> None:
    answer = visitor.send(encoded(), **changes)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert visitor.kept() is None
    assert visitor.consent() is None


@pytest.mark.req("ID-06")
def test_a_guardian_agrees_for_a_child(visitor: Visitor) -> None:
    answer = visitor.send(encoded(), age="under_14", guardian="周建国", guardian_relation="father")
    assert answer.status_code == 200
    consent = visitor.consent()
    assert consent is not None
    assert consent.guardian_relation == "father"


@pytest.mark.req("BK-04")
def test_strangers_add_nothing_and_see_nothing(visitor: Visitor) -> None:
    assert visitor.send(encoded()).status_code == 200
    other = Visitor(visitor.gate)
    assert other.client.get(ADDRESS).status_code == 404
    for cookies in ({}, {"gatehouse_visit": "x" * 43}, {"gatehouse": "x" * 43}):
        with httpx.Client(
            base_url=visitor.gate.url, cookies=cookies, headers={"Origin": visitor.gate.url}, trust_env=False
        ) as client:
            assert client.get(ADDRESS).status_code == 401
            assert client.post(ADDRESS, data=FORM, files={"photo": encoded()}).status_code == 401
    foreign = other.client.post(
        ADDRESS, data=FORM, files={"photo": encoded()}, headers={"Origin": "https://elsewhere.example"}
    )
    assert (foreign.status_code, foreign.json()["error"]) == (403, "foreign_origin")
    assert other.kept() is None
    other.client.close()


def test_a_visit_that_was_cancelled_takes_no_picture(visitor: Visitor) -> None:
    visitor.gate.world.do(invitations.cancel, visitor.gate.world.host, visitor.booking.id)
    answer = visitor.send(encoded())
    assert (answer.status_code, answer.json()["error"]) == (409, "photo_not_asked")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"{}", "application/json"),
        (b"photo=x", "application/x-www-form-urlencoded"),
        (b"no part at all", "multipart/form-data; boundary=x"),
        (b"--x\r\n", "multipart/form-data"),
        (b"", "multipart/form-data; boundary=x"),
    ],
)
def test_a_body_that_is_no_form_is_refused(visitor: Visitor, content: bytes, kind: str) -> None:
    answer = visitor.client.post(ADDRESS, content=content, headers={"Content-Type": kind})
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]
    assert visitor.kept() is None


def test_who_sends_without_end_is_slowed_down(visitor: Visitor) -> None:
    codes = [visitor.send(b"x").status_code for _ in range(11)]
    assert codes == [422] * 10 + [429]
