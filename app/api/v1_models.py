"""What other systems send and are answered, as models: fields that are not known are left alone (I-8)."""

from __future__ import annotations

import re
from datetime import UTC
from typing import Annotated, Any

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app.core.errors import InvalidInput
from app.domain.integration.rules import MAX_VERSION, version_of

SCHEMA = "visit.request.v1"
ID_PATTERN = r"^[^\s\x00-\x1f\x7f/?#%]+$"
ROW_PATTERN = r"^[0-9a-f]{32}$"
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:\d\d)?", re.ASCII)


def _moment(value: Any) -> Any:
    """Text of RFC 3339 only, and no moment that is beyond the calendar in UTC."""
    if not isinstance(value, str) or not MOMENT.fullmatch(value):
        raise PydanticCustomError("time_format", "time_format")
    return value


def _in_calendar(value: AwareDatetime) -> AwareDatetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("time_format", "time_format") from None


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore", populate_by_name=True)


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-23T09:00:00+08:00"]}),
]
Version = Annotated[int, Field(ge=0, le=MAX_VERSION, strict=True)]
ExtId = Annotated[str, Field(min_length=1, max_length=100, pattern=ID_PATTERN)]
Text = Annotated[str, Field(max_length=100_000)]


class Versioned(_Model):
    """Which change is the newer one: a number that grows, or the moment of the last change. Stay with one of them."""

    version: Version | None = None
    updated_at: Moment | None = None

    @model_validator(mode="after")
    def _has_one(self) -> Versioned:
        if self.number is None:
            raise PydanticCustomError("version_missing", "version_missing")
        if self.updated_at is not None:
            _in_calendar(self.updated_at)
        return self

    @property
    def number(self) -> int | None:
        """The version as it is compared."""
        return version_of(self.version, self.updated_at)


class HostIn(_Model):
    """Whom the visitor comes to: by the asker's own number of the person, or by unit and name. Never by phone."""

    ext_id: ExtId | None = None
    name: Text | None = None
    unit: Text | None = None
    unit_ext_id: ExtId | None = None


class VisitorIn(_Model):
    """Who comes. The policy of the site decides what of it is kept."""

    name: Text = Field(min_length=1, examples=["周婷婷"])
    phone: Text | None = Field(None, examples=["13800138001"])
    company: Text | None = None
    document: Text | None = Field(
        None, description="Number of an identity document; sealed in storage, masked in answers."
    )
    document_kind: Text | None = Field(None, examples=["resident_id"])


class BookingIn(Versioned):
    """A visit that is asked for, or what a visit shall be from now on."""

    schema_: str = Field(SCHEMA, alias="schema", examples=[SCHEMA])
    idempotency_key: Annotated[str, Field(max_length=200)] | None = None
    site: Text | None = Field(None, description="Must be the site of the key, where it is given.")
    ref: ExtId | None = Field(None, description="Your own number of the visit, unique at the site.")
    host: HostIn
    visitor: VisitorIn
    from_: Moment = Field(alias="from")
    to: Moment
    purpose: Text | None = Field(None, examples=["meeting"])
    head_count: Annotated[int, Field(ge=1, le=50, strict=True)] = 1
    plate: Text | None = None
    visitor_type: Text | None = Field(None, examples=["guest"])
    urgent: Annotated[bool, Field(strict=True)] = Field(
        False, description="Book before the window of the site opens (48 h before the visit); audited."
    )
    notify: Annotated[bool, Field(strict=True)] = Field(
        False, description="Send the pass link to the visitor's phone."
    )
    zones: list[Text] | None = Field(None, description="Taken and not used in this version.")
    room: Text | None = Field(None, description="Taken and not used in this version.")
    consent_ref: Text | None = Field(None, description="Taken and not used in this version.")

    @model_validator(mode="after")
    def _known_schema(self) -> BookingIn:
        if self.schema_ != SCHEMA:
            raise PydanticCustomError("schema_unknown", "schema_unknown")
        _in_calendar(self.from_)
        _in_calendar(self.to)
        return self

    def unused(self) -> list[dict[str, str]]:
        """What was sent that this version does nothing with."""
        names = ("zones", "room", "consent_ref")
        return [{"code": "field_unused", "field": name} for name in names if getattr(self, name)]

    def check_site(self, site_id: str) -> None:
        """Raise ``InvalidInput`` where another site than the key's is meant."""
        if self.site is not None and self.site != site_id:
            raise InvalidInput("site_other", "site")


class CancelIn(Versioned):
    """The version with which a visit was called off."""


class HostPut(Versioned):
    """A person who receives visitors, or who did."""

    name: Text = Field(min_length=1, examples=["陈静"])
    phone: Text | None = None
    unit: Text | None = Field(None, description="Label of the unit.")
    unit_ext_id: ExtId | None = Field(None, description="Your own number of the company.")
    deputy: ExtId | None = Field(None, description="Who takes over open invitations of a leaver.")
    active: Annotated[bool, Field(strict=True)] = True


class CompanyPut(Versioned):
    """A company, or a department of one that receives visitors of its own."""

    label: Text = Field(min_length=1, examples=["12 层 远山科技"])
    building: Text | None = None


class Warning_(_Model):
    """Something that was taken differently from how it was said."""

    model_config = ConfigDict(title="Warning")
    code: str
    field: str


class HostOut(_Model):
    """The host, masked."""

    ext_id: str
    name: str
    unit: str


class VisitorOut(_Model):
    """The visitor, masked."""

    name: str
    phone: str
    company: str
    document: str


class PassOut(_Model):
    """The pass; ``link`` is for the visitor, ``link_code`` opens it where no phone is known."""

    state: str
    not_before: str
    not_after: str
    link: str | None
    link_code: str | None


class BookingOut(_Model):
    """A visit as it stands."""

    id: str
    site: str
    ref: str | None
    version: int | None
    state: str
    source: str
    urgent: bool
    host: HostOut
    visitor: VisitorOut
    visitor_type: str
    from_: str = Field(alias="from")
    to: str
    purpose: str
    head_count: int
    plate: str
    area: str
    pass_: PassOut | None = Field(alias="pass")


class BookingDone(BookingOut):
    """A visit after a change; ``stale`` where a newer version had been applied before and nothing was changed."""

    stale: bool
    warnings: list[Warning_]


class BookingPage(_Model):
    """Some visits; ``next`` is the cursor of those after them, empty at the end."""

    items: list[BookingOut]
    next: str


class DirectoryHostOut(_Model):
    """A host of the directory, masked; ``open_invitations`` of a leaver nobody took over."""

    ext_id: str
    name: str
    phone: str
    units: list[str]
    deputy: str
    deputy_known: bool
    active: bool
    version: int
    open_invitations: int
    stale: bool


class CompanyOut(_Model):
    """A company of the directory."""

    ext_id: str
    label: str
    building: str
    version: int
    stale: bool


class FieldError(_Model):
    """One thing that is wrong, as a code and in the asker's language."""

    error: str
    message: str
    field: str = ""


class ErrorOut(FieldError):
    """What is wrong; ``errors`` holds every field of the wrong form."""

    errors: list[FieldError] = []
