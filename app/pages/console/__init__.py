"""The manager console: its pages with title and what loads after the common load."""

from __future__ import annotations

from typing import Any

from app.pages.console import (
    account,
    accounts,
    audit,
    cases,
    devices,
    faces,
    integrations,
    ledger,
    messages,
    people,
    permits,
    policy,
    roles,
    today,
)
from state.console_accounts import AccountsState
from state.console_audit import AuditState
from state.console_cases import CasesState
from state.console_devices import DevicesState
from state.console_faces import FacesState
from state.console_integrations import IntegrationsState
from state.console_ledger import LedgerState
from state.console_message_texts import MessageTextsState
from state.console_messages import MessagesState
from state.console_own import OwnAccountState
from state.console_people import PeopleState
from state.console_permit_forms import PermitFormsState
from state.console_permits import PermitsState
from state.console_policy import PolicyState
from state.console_printing import PrintingState
from state.console_today import ConsoleTodayState
from state.console_webhooks import WebhooksState
from state.own_messages import OwnMessagesState

PAGES: list[tuple[str, Any, str, list[Any]]] = [
    ("/console", today.page, "console.title.today", [ConsoleTodayState.enter]),
    ("/console/ledger", ledger.page, "console.title.ledger", [LedgerState.enter]),
    ("/console/cases", cases.page, "console.title.cases", [CasesState.enter]),
    ("/console/devices", devices.page, "console.title.devices", [DevicesState.enter]),
    ("/console/people", people.page, "console.title.people", [PeopleState.enter]),
    ("/console/permits", permits.page, "console.title.permits", [PermitsState.enter, PermitFormsState.enter]),
    ("/console/policy", policy.page, "console.title.policy", [PolicyState.enter, PrintingState.enter]),
    (
        "/console/messages",
        messages.page,
        "console.title.messages",
        [MessagesState.enter, MessageTextsState.enter],
    ),
    ("/console/faces", faces.page, "console.title.faces", [FacesState.enter]),
    (
        "/console/integrations",
        integrations.page,
        "console.title.integrations",
        [IntegrationsState.enter, WebhooksState.enter],
    ),
    ("/console/roles", roles.page, "console.title.roles", []),
    ("/console/accounts", accounts.page, "console.title.accounts", [AccountsState.enter]),
    ("/console/audit", audit.page, "console.title.audit", [AuditState.enter]),
    ("/account", account.page, "console.title.account", [OwnAccountState.enter, OwnMessagesState.enter]),
]
