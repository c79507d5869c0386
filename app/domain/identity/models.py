"""Tables of consent and of faces: who agreed to what, what a site does with faces, and the sealed templates."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Field, SQLModel

from app.core.types import JsonText, UtcDateTime


class ConsentRecord(SQLModel, table=True):
    """One person's yes to one purpose: what was shown, how, to whom, and since when it is taken back (L-1, L-6)."""

    __tablename__ = "consent_record"
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id", index=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    purpose: str
    data_classes: list[str] = Field(sa_type=JsonText)
    notice_version: str
    notice_hash: bytes
    notice_locale: str
    channel: str
    given_at: datetime = Field(sa_type=UtcDateTime)
    given_by: str
    guardian: bytes | None = None
    guardian_relation: str = ""
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    withdrawn_by: str = ""
    withdrawn_channel: str = ""


class ImpactAssessment(SQLModel, table=True):
    """The assessment a manager names before faces are recognised: kept for three years and longer (F-6)."""

    __tablename__ = "impact_assessment"
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id", index=True)
    purpose: str
    title: str
    made_on: date
    made_by: bytes | None = None
    reference: str
    recorded_by: str
    recorded_at: datetime = Field(sa_type=UtcDateTime)


class FacePolicy(SQLModel, table=True):
    """What a site does with faces; a site without a row has the defaults. Thresholds are hundredths of the cosine."""

    __tablename__ = "face_policy"
    site_id: str = Field(primary_key=True, foreign_key="site.id")
    verify: bool
    recognise: bool
    same: int
    other: int
    recognise_same: int
    recognise_margin: int
    liveness: str
    template_days: int
    assessment_id: str | None = Field(default=None, foreign_key="impact_assessment.id")


class FaceTemplate(SQLModel, table=True):
    """The face of a regular who agreed: a sealed vector of one pack of models, bound to that consent."""

    __tablename__ = "face_template"
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id", index=True)
    person_id: str = Field(foreign_key="person.id", unique=True)
    consent_id: str = Field(foreign_key="consent_record.id", index=True)
    vector: bytes | None = Field(default=None, repr=False)
    pack_id: str
    dimension: int
    captured_at: datetime = Field(sa_type=UtcDateTime)
    captured_by: str
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class FacesChanged:
    """Announced when a site's templates or its policy changed; ``gone`` are templates that must not match any more."""

    def __init__(self, site_id: str, gone: tuple[str, ...] = ()) -> None:
        self.site_id = site_id
        self.gone = gone
