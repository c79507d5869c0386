"""Outbox channels that work in an installation without providers: the in-app inbox and a file sink.

The file sink writes what an SMS or mail gateway would send to ``data/outbox/<day>.txt`` for the operator. It
holds phone numbers and links in plain text, so it is written with the owner's rights only and swept after a day.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import Session

from app.core import clock, crypto, i18n
from app.core.masking import mask_name
from app.core.outbox import Channel, Message, Remote
from app.core.permissions import Role
from app.core.settings import get_settings
from app.domain.admission import statements
from app.domain.booking import repository as bookings
from app.domain.booking.links import link_secret
from app.domain.people import repository as people
from app.domain.people.service import notify
from app.domain.sites import repository as sites

KEEP = timedelta(days=1)


def inbox(session: Session, message: Message) -> None:
    """Tell people inside the product: of a case the site's supervisors, of a visit the host or the household."""
    if message.topic == "case_opened":
        _tell_supervisors(session, message)
    else:
        _tell_host(session, message)


def _tell_supervisors(session: Session, message: Message) -> None:
    for person_id in people.holders(session, message.site_id, Role.SUPERVISOR):
        notify(session, person_id, message.topic, {"case": str(message.payload["case"])})


def _tell_host(session: Session, message: Message) -> None:
    visit_id = str(message.payload["visit"])
    host, visitor, unit = statements.whom(session, visit_id)
    receivers = [host] if host else [person.id for _, person in people.members(session, unit or "")]
    for person_id in receivers:
        if person_id == visitor:
            continue  # whoever comes home with the own card need not be told so
        notify(session, person_id, message.topic, {"visit": visit_id})


def sms_file(session: Session, message: Message) -> None:
    """Write the text that a gateway would send; one line per message, led by the message's id."""
    booking, visitor, unit = bookings.full(session, message.payload["booking"])
    phone = crypto.reveal(visitor, "phone")
    if not phone:
        return
    site = sites.site(session, booking.site_id)
    text = i18n.text(
        i18n.DEFAULT,
        f"sms.{message.topic}",
        name=mask_name(crypto.reveal(visitor, "name")),
        site=site.name,
        unit=unit.label,
        window=i18n.format_window(
            booking.starts_at, booking.ends_at, clock.now(), site.time_zone, i18n.DEFAULT
        ),
        link=f"{get_settings().base_url}/v/{link_secret(booking)}",
    )
    folder = get_settings().data_dir / "outbox"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{clock.now():%Y-%m-%d}.txt"
    with open(path, "a", encoding="utf-8", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
        file.write(f"{message.id}\t{phone}\t{text}\n")


def sweep_files(folder: Path, now: datetime) -> None:
    """Remove sink files that are a day old."""
    for path in folder.glob("*.txt"):
        if datetime.fromtimestamp(path.stat().st_mtime, now.tzinfo) < now - KEEP:
            path.unlink()


CHANNELS: dict[str, Channel] = {"inbox": inbox, "sms": sms_file}
# Channels to other hosts by name, or by what stands before the colon of a name; none unless an operator set one up.
REMOTE: dict[str, Remote] = {}
