"""The outbox's channels: the in-app inbox in the transaction, everything that leaves the process outside of one.

What happens is told in the inbox first; from there it goes on, in the same transaction, to the ways that the receiver chose
and to the group chats of an installation.
"""

from __future__ import annotations

from pathlib import Path

from sqlmodel import Session

from app.adapters.messaging.mail import Mail
from app.adapters.messaging.robots import Robot
from app.adapters.messaging.sms_file import SmsFile, sweep_files
from app.adapters.messaging.sms_gateway import load
from app.adapters.webhooks import WebhookChannel
from app.core import outbox
from app.core.outbox import Channel, Message, Remote
from app.core.permissions import Role
from app.core.settings import SettingError, Settings, get_settings
from app.domain.admission import repository as admission
from app.domain.admission import statements
from app.domain.booking import repository as bookings
from app.domain.messages import preferences
from app.domain.people import repository as people
from app.domain.people.service import notify
from app.domain.sites import webhooks

__all__ = ["CHANNELS", "inbox", "remote_channels", "sweep_files"]


def inbox(session: Session, message: Message) -> None:
    """Tell people inside the product: of a case the site's supervisors, of a visit the host or the household."""
    if message.topic == "case_opened":
        _tell_supervisors(session, message)
    elif "attempt" in message.payload:
        _tell_household(session, message)
    else:
        _tell_host(session, message)


def _tell_supervisors(session: Session, message: Message) -> None:
    for person_id in people.holders(session, message.site_id, Role.SUPERVISOR):
        notify(session, person_id, message.topic, {"case": str(message.payload["case"])})
    for name in robots(get_settings()):
        outbox.post(session, name, message.topic, message.site_id, message.payload)


def _tell_household(session: Session, message: Message) -> None:
    """A question at the gate stands on the household's pages by itself; who wants it elsewhere is told there."""
    attempt = admission.attempt(session, str(message.payload["attempt"]))
    for _, person in people.members(session, attempt.unit_id or ""):
        _tell_elsewhere(session, person.id, message)


def _tell_host(session: Session, message: Message) -> None:
    visit_id = str(message.payload["visit"])
    host, visitor, unit = statements.whom(session, visit_id)
    receivers = [host] if host else [person.id for _, person in people.members(session, unit or "")]
    for person_id in receivers:
        if person_id == visitor:
            continue  # whoever comes home with the own card need not be told so
        notify(session, person_id, message.topic, {"visit": visit_id})
        _tell_elsewhere(session, person_id, message)


def _tell_elsewhere(session: Session, person_id: str, message: Message) -> None:
    wanted = preferences.of_person(session, person_id)
    for channel, on in (("sms", wanted.sms), ("email", wanted.email)):
        if on and (channel != "email" or get_settings().smtp_host):
            payload = {**message.payload, "person": person_id}
            outbox.post(session, channel, message.topic, message.site_id, payload)


def visitor(session: Session, message: Message) -> None:
    """Tell a visitor, who has no inbox, every way that is known: by phone, by the mail address the host gave."""
    _, person, _ = bookings.full(session, str(message.payload["booking"]))
    if person.phone:
        outbox.post(session, "sms", message.topic, message.site_id, message.payload)
    if preferences.of_person(session, person.id).email and get_settings().smtp_host:
        outbox.post(session, "email", message.topic, message.site_id, message.payload)


CHANNELS: dict[str, Channel] = {"inbox": inbox, "visitor": visitor}


def remote_channels(settings: Settings) -> dict[str, Remote]:
    """The ways out of this process by name, or by what stands before the colon of a name; raises ``SettingError``.

    Without a gateway text messages go to a file; no other host is asked anything unless the settings name it.
    """
    found: dict[str, Remote] = {"sms": SmsFile(), webhooks.FAMILY: WebhookChannel(), **robots(settings)}
    if settings.sms_gateway:
        found["sms"] = load(Path(settings.sms_gateway), settings.sms_secret)
    if settings.smtp_host:
        if "@" not in settings.smtp_from:
            raise SettingError("GATEHOUSE_SMTP_FROM: the address that mail comes from is needed")
        found["email"] = Mail(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_security,
            settings.smtp_user,
            settings.smtp_password,
            settings.smtp_from,
        )
    return found


def robots(settings: Settings) -> dict[str, Remote]:
    """The group chats that are set up."""
    given = {
        "wecom": (settings.wecom_robot, ""),
        "dingtalk": (settings.dingtalk_robot, settings.dingtalk_secret),
        "feishu": (settings.feishu_robot, settings.feishu_secret),
    }
    return {kind: Robot(kind, url, secret) for kind, (url, secret) in given.items() if url}
