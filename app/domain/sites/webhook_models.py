"""The table of webhooks: who wants to be told what. The messages themselves lie in the outbox."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from app.core.types import JsonText, UtcDateTime


class WebhookSubscription(SQLModel, table=True):
    """An address of another system that is told of events of a site; its signing secrets are sealed."""

    __tablename__ = "webhook_subscription"
    id: str = Field(primary_key=True)
    site_id: str = Field(foreign_key="site.id", index=True)
    label: str
    url: str
    events: list[str] = Field(sa_type=JsonText)
    secret: bytes | None = None
    old_secret: bytes | None = None
    old_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    enabled: bool = True
    stopped_by: str = ""  # why it is off: manager, or gone where the receiver answered 410
    created_by: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    deleted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class WebhooksChanged:
    """Announced when subscriptions of a site changed, or a message to one was done with."""

    def __init__(self, site_id: str) -> None:
        self.site_id = site_id
