"""Lane computers: made with a one-time code, enrolled with it once, heard, revoked (ID-01, EV-04)."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, select

from app.core import audit, clock, crypto, inputs
from app.core.actor import Actor
from app.core.database import announce
from app.core.errors import Conflict, InvalidInput, NotFound, NotSignedIn
from app.core.ids import new_id, new_secret
from app.core.limiter import Limiter
from app.core.permissions import Right, Role
from app.domain.sites import repository
from app.domain.sites.models import AgentChanged, AgentStream, Device, LaneAgent, PolicyChanged
from app.domain.sites.streams import Progress

MAX_LABEL = 40
CODE_HOURS = 24
CODE_DIGITS = 20
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # without what is read wrongly: 0 and O, 1 and I
PREFIX = "gha_"  # tells an agent's secret from a lane's key
SEEN_EVERY = timedelta(seconds=15)
STREAMS_KEPT = 16

enrol_limit = Limiter(lambda: (10, timedelta(minutes=10)))


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What a computer gets at its enrolment, once: its name here and two secrets that are stored nowhere else."""

    agent: LaneAgent
    secret: str
    spool_key: str


def create(session: Session, actor: Actor, label: str, lane_ids: Sequence[str]) -> tuple[LaneAgent, str]:
    """A new computer for lanes of one site; returns it and the code to enrol it with, which is shown once."""
    if not lane_ids:
        raise InvalidInput("agent_lanes_missing", "lanes")
    lanes = [repository.lane(session, lane_id) for lane_id in dict.fromkeys(lane_ids)]
    site_id = lanes[0].site_id
    if any(lane.site_id != site_id for lane in lanes):
        raise InvalidInput("agent_lanes_apart", "lanes")
    _require_editor(actor, site_id)
    agent = LaneAgent(
        id=new_id(),
        site_id=site_id,
        label=inputs.name(inputs.text(label, "label", MAX_LABEL), "label"),
        lane_ids=[lane.id for lane in lanes],
        created_at=clock.now(),
    )
    code = _give_code(agent)
    session.add(agent)
    session.flush()
    _record(session, actor, "agent.create", agent, lanes=len(lanes))
    return agent, code


def renew(session: Session, actor: Actor, agent_id: str) -> str:
    """A new code for a computer that is there, to put another machine in its place; the old one speaks until then."""
    agent = get(session, agent_id)
    _require_editor(actor, agent.site_id)
    if agent.revoked_at is not None:
        raise Conflict("agent_revoked")
    code = _give_code(agent)
    session.add(agent)
    _record(session, actor, "agent.renew", agent)
    return code


def revoke(session: Session, actor: Actor, agent_id: str) -> None:
    """Take a computer out of use at once; its devices stay with it, off, until somebody moves them."""
    agent = get(session, agent_id)
    _require_editor(actor, agent.site_id)
    if agent.revoked_at is not None:
        return
    agent.revoked_at = clock.now()
    agent.code_hash = agent.code_until = agent.secret_hash = None
    session.add(agent)
    _record(session, actor, "agent.revoke", agent)
    announce(session, PolicyChanged(agent.site_id))


def enrol(session: Session, code: str, version: str, ip: str) -> Enrolled | None:
    """Take a one-time code; None when it fits nothing (audited: the caller commits in both cases).

    The same answer for a wrong, a used and an expired code tells a stranger nothing.
    """
    wanted = crypto.hash_secret(_plain(code))
    agent = session.exec(select(LaneAgent).where(LaneAgent.code_hash == wanted).with_for_update()).first()
    fits = (
        agent is not None
        and hmac.compare_digest(agent.code_hash or b"", wanted)
        and agent.revoked_at is None
        and agent.code_until is not None
        and agent.code_until > clock.now()
    )
    if agent is None or not fits:
        stranger = Actor(kind="anonymous", ip=ip)
        audit.record(
            session,
            stranger,
            "agent.enrol",
            "agent",
            agent.id if agent else "",
            site_id=agent.site_id if agent else "",
            result="refused",
            reason="code",
        )
        return None
    secret = PREFIX + new_secret()
    agent.code_hash = agent.code_until = None
    agent.secret_hash = crypto.hash_secret(secret)
    agent.enrolled_at = agent.seen_at = clock.now()
    agent.version = _short(version)
    session.add(agent)
    _record(session, actor_of(agent, ip), "agent.enrol", agent)
    return Enrolled(agent, secret, secrets.token_hex(32))


def command(url: str, code: str) -> str:
    """The line that enrols a computer; without HTTPS it must be asked for in so many words."""
    plain = " --plain-http" if url.startswith("http:") else ""
    return f"python -m hardware.agent enrol {url} {code}{plain}"


def resolve(session: Session, secret: str, ip: str = "") -> Actor:
    """The actor behind an agent's secret; raises ``NotSignedIn``."""
    wanted = crypto.hash_secret(secret)
    agent = session.exec(select(LaneAgent).where(LaneAgent.secret_hash == wanted)).first()
    if agent is None or not hmac.compare_digest(agent.secret_hash or b"", wanted):
        raise NotSignedIn("agent_unknown")
    return actor_of(agent, ip)


def actor_of(agent: LaneAgent, ip: str = "") -> Actor:
    """Who speaks when the computer does."""
    return Actor(
        kind="agent",
        account_id=f"agent:{agent.id}",
        session_id="agent",
        site_id=agent.site_id,
        roles=frozenset({Role.LANE_COMPUTER}),
        ip=ip,
        agent_id=agent.id,
    )


def own(session: Session, actor: Actor) -> LaneAgent:
    """The row of the computer that speaks, as it is now; raises ``NotSignedIn`` once it was revoked."""
    actor.require(Right.AGENT_REPORT)
    agent = session.get(LaneAgent, actor.agent_id)
    if agent is None or agent.secret_hash is None or agent.revoked_at is not None:
        raise NotSignedIn("agent_unknown")
    return agent


def get(session: Session, agent_id: str) -> LaneAgent:
    """One computer; raises ``NotFound``."""
    found = session.get(LaneAgent, agent_id)
    if found is None:
        raise NotFound("agent_unknown")
    return found


def of_site(session: Session, site_id: str) -> Sequence[LaneAgent]:
    """The computers of a site that are not revoked, by label."""
    query = select(LaneAgent).where(LaneAgent.site_id == site_id, col(LaneAgent.revoked_at).is_(None))
    return session.exec(query.order_by(LaneAgent.label, LaneAgent.id)).all()


def in_use(session: Session) -> frozenset[str]:
    """The ids of all computers that are not revoked."""
    return frozenset(session.exec(select(LaneAgent.id).where(col(LaneAgent.revoked_at).is_(None))).all())


def devices(session: Session, agent_id: str) -> Sequence[Device]:
    """The devices that a computer runs."""
    query = select(Device).where(Device.agent_id == agent_id).order_by(Device.lane_id, Device.name)
    return session.exec(query).all()


def place(session: Session, device: Device, agent_id: str) -> None:
    """Say where a device runs: at a computer that serves its lane, or, empty, in the server itself.

    Where it stands already it may stay, though that computer was revoked: its device then waits for another place.
    """
    if agent_id and agent_id != device.agent_id:
        agent = get(session, agent_id)
        if agent.revoked_at is not None or device.lane_id not in agent.lane_ids:
            raise InvalidInput("agent_other_lane", "agent")
    device.agent_id = agent_id or None
    session.add(device)


def note_config(session: Session, actor: Actor, revision: str) -> None:
    """Keep which configuration was handed over; a new one is audited, for it may hold a camera's password."""
    agent = own(session, actor)
    if agent.config != revision:
        agent.config = revision
        session.add(agent)
        _record(session, actor, "agent.config", agent, revision=revision)


def note_health(
    session: Session, actor: Actor, version: str, waiting: int, trouble: str, offset_ms: int | None
) -> None:
    """Keep what a computer says of itself; a steady one is written down four times a minute."""
    agent, now = own(session, actor), clock.now()
    told = (_short(version), max(0, waiting), _short(trouble))
    changed = told != (agent.version, agent.waiting, agent.trouble)
    if not changed and agent.seen_at is not None and now - agent.seen_at < SEEN_EVERY:
        return
    agent.version, agent.waiting, agent.trouble = told
    agent.clock_offset_ms, agent.seen_at = offset_ms, now
    session.add(agent)
    announce(session, AgentChanged(agent.site_id, agent.id))


def progress(session: Session, agent_id: str, stream: str) -> Progress:
    """How far a stream is recorded."""
    row = session.get(AgentStream, (agent_id, stream))
    return Progress(row.last_seq, tuple(row.recent)) if row else Progress()


def advance(session: Session, agent_id: str, stream: str, made: Progress) -> None:
    """Keep how far a stream is recorded; long finished streams are forgotten."""
    row = session.get(AgentStream, (agent_id, stream))
    if row is None:
        row = AgentStream(agent_id=agent_id, stream=stream, last_seq=0, recent=[], seen_at=clock.now())
        _forget_old_streams(session, agent_id)
    row.last_seq, row.recent, row.seen_at = made.last_seq, list(made.recent), clock.now()
    session.add(row)


def refuse_gap(session: Session, actor: Actor, stream: str, expected: int, came: int) -> None:
    """Put down that numbers are missing: nothing is filled in silently."""
    agent = own(session, actor)
    details = {"stream": stream, "expected": expected, "came": came}
    audit.record(
        session,
        actor,
        "agent.gap",
        "agent",
        agent.id,
        site_id=agent.site_id,
        result="refused",
        details=details,
    )


def refuse_lane(session: Session, actor: Actor, lane_id: str) -> None:
    """Put down that a computer spoke for a lane that is not its own."""
    agent = own(session, actor)
    known = lane_id if re.fullmatch(r"[0-9a-f]{32}", lane_id) else ""
    audit.record(
        session, actor, "agent.lane", "lane", known, site_id=agent.site_id, result="refused", reason="lane"
    )


def _forget_old_streams(session: Session, agent_id: str) -> None:
    query = select(AgentStream.stream).where(AgentStream.agent_id == agent_id)
    old = session.exec(query.order_by(col(AgentStream.seen_at).desc()).offset(STREAMS_KEPT - 1)).all()
    if old:
        session.exec(
            delete(AgentStream).where(col(AgentStream.agent_id) == agent_id, col(AgentStream.stream).in_(old))
        )


def _give_code(agent: LaneAgent) -> str:
    plain = "".join(secrets.choice(ALPHABET) for _ in range(CODE_DIGITS))
    agent.code_hash, agent.code_until = crypto.hash_secret(plain), _code_end()
    return "-".join(plain[at : at + 5] for at in range(0, CODE_DIGITS, 5))


def _code_end() -> datetime:
    return clock.now() + timedelta(hours=CODE_HOURS)


def _plain(code: str) -> str:
    return re.sub(r"[^0-9A-Z]", "", code.upper())


def _short(text: str) -> str:
    return inputs.clean(text)[:40]


def _require_editor(actor: Actor, site_id: str) -> None:
    if actor.kind != "system":
        actor.require(Right.DEVICE_EDIT, site_id)


def _record(session: Session, actor: Actor, action: str, agent: LaneAgent, **details: str | int) -> None:
    audit.record(session, actor, action, "agent", agent.id, site_id=agent.site_id, details=dict(details))
    announce(session, AgentChanged(agent.site_id, agent.id))
