"""Roles and rights (SI-04): deny by default, and every endpoint names the right it needs.

Every public method of a Reflex state and every route is callable by any browser, so each carries
``@needs(...)``; the middleware refuses what carries none, and a test enumerates them all.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Role(StrEnum):
    """Who somebody is at a site."""

    GUARD = "guard"
    PATROL = "patrol"
    SUPERVISOR = "supervisor"
    SERVICE = "service"
    MANAGER = "manager"
    HOST = "host"
    RESIDENT = "resident"
    AUDITOR = "auditor"
    ADMIN = "admin"
    LANE_AGENT = "lane_agent"
    LANE_COMPUTER = "lane_computer"
    VISITOR = "visitor"
    INTEGRATION = "integration"


class Right(StrEnum):
    """What somebody may do. ``PUBLIC`` needs no session, ``SIGNED_IN`` any."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    DESK_USE = "desk.use"
    DESK_REVIEW = "desk.review"
    CAMERA_VIEW = "camera.view"
    VISITOR_FIND = "visitor.find"
    LANE_PRESENT = "lane.present"
    AGENT_REPORT = "agent.report"
    BOOK = "booking.own"
    CONSENT_ANSWER = "consent.answer"
    PASS_OWN = "pass.own"
    LEDGER_VIEW = "ledger.view"
    REVEAL = "person.reveal"
    CASE_VIEW = "case.view"
    DEVICE_VIEW = "device.view"
    DEVICE_EDIT = "device.edit"
    SITE_EDIT = "site.edit"
    PEOPLE_EDIT = "people.edit"
    POLICY_EDIT = "policy.edit"
    ACCOUNT_EDIT = "account.edit"
    AUDIT_VIEW = "audit.view"
    INTEGRATION_EDIT = "integration.edit"
    BOOKING_READ = "booking.read"
    BOOKING_WRITE = "booking.write"
    DIRECTORY_READ = "directory.read"
    DIRECTORY_WRITE = "directory.write"


_DESK = {Right.DESK_USE, Right.CAMERA_VIEW, Right.VISITOR_FIND, Right.DEVICE_VIEW}
_HOST = {Right.BOOK, Right.CONSENT_ANSWER}
# What a key of another system may be given (EV-06).
SCOPES = frozenset({Right.BOOKING_READ, Right.BOOKING_WRITE, Right.DIRECTORY_READ, Right.DIRECTORY_WRITE})

RIGHTS: dict[Role, frozenset[Right]] = {
    Role.GUARD: frozenset(_DESK),
    Role.PATROL: frozenset({Right.VISITOR_FIND, Right.DEVICE_VIEW}),
    Role.SUPERVISOR: frozenset(_DESK | {Right.DESK_REVIEW, Right.LEDGER_VIEW, Right.REVEAL, Right.CASE_VIEW}),
    Role.SERVICE: frozenset({Right.VISITOR_FIND, Right.PEOPLE_EDIT, Right.LEDGER_VIEW}),
    Role.MANAGER: frozenset(
        {
            Right.LEDGER_VIEW,
            Right.REVEAL,
            Right.CASE_VIEW,
            Right.DEVICE_VIEW,
            Right.DEVICE_EDIT,
            Right.SITE_EDIT,
            Right.PEOPLE_EDIT,
            Right.POLICY_EDIT,
            Right.CAMERA_VIEW,
            Right.VISITOR_FIND,
            Right.INTEGRATION_EDIT,
        }
    ),
    Role.HOST: frozenset(_HOST),
    Role.RESIDENT: frozenset(_HOST),
    # The three administrators of the classified-protection scheme exclude each other: this one keeps
    # accounts and devices but reads no visitor, the auditor reads the log and operates nothing.
    Role.AUDITOR: frozenset({Right.AUDIT_VIEW}),
    Role.ADMIN: frozenset({Right.ACCOUNT_EDIT, Right.DEVICE_VIEW, Right.DEVICE_EDIT, Right.SITE_EDIT}),
    Role.LANE_AGENT: frozenset({Right.LANE_PRESENT}),
    # Runs devices for its lanes: which those are stands in its row, and is asked anew at each call.
    Role.LANE_COMPUTER: frozenset({Right.AGENT_REPORT}),
    Role.VISITOR: frozenset({Right.PASS_OWN}),
    # Another system of the site: its key narrows this down to the scopes that it was given.
    Role.INTEGRATION: SCOPES,
}

STAFF = frozenset(
    {Role.GUARD, Role.PATROL, Role.SUPERVISOR, Role.SERVICE, Role.MANAGER, Role.AUDITOR, Role.ADMIN}
)
EXCLUSIVE = frozenset({Role.ADMIN, Role.MANAGER, Role.AUDITOR})

ATTRIBUTE = "__gatehouse_right__"


def needs(right: Right) -> Callable[[F], F]:
    """Declare the right that an event handler or a route needs; put it closest to the function."""

    def mark(function: F) -> F:
        setattr(function, ATTRIBUTE, right)
        return function

    return mark


def right_of(function: object) -> Right | None:
    """The declared right of a handler or route, None when it declares none and must be refused."""
    right = getattr(function, ATTRIBUTE, None)
    return right if isinstance(right, Right) else None


def may_hold_together(roles: frozenset[Role]) -> bool:
    """System, security and audit administration are mutually exclusive (GB/T 22239, EV-05)."""
    return len(roles & EXCLUSIVE) <= 1
