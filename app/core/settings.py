"""Settings of one installation, read once from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

PREFIX = "GATEHOUSE_"


class SettingError(ValueError):
    """A variable of the environment holds what it may not; the text names it."""


def _text(name: str, default: str) -> str:
    return os.environ.get(PREFIX + name, default)


def _flag(name: str, default: bool) -> bool:
    return _text(name, "1" if default else "0").lower() in {"1", "true", "yes", "on"}


def _number(name: str, default: int, low: int, high: int) -> int:
    """A whole number within bounds; raises ``SettingError``."""
    given = _text(name, str(default))
    try:
        number = int(given)
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise SettingError(f"{PREFIX}{name}={given}: a whole number from {low} to {high} is needed")
    return number


def _choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    """One of a few words; raises ``SettingError``."""
    given = _text(name, default)
    if given not in choices:
        raise SettingError(f"{PREFIX}{name}={given}: one of {', '.join(choices)} is needed")
    return given


@dataclass(frozen=True, slots=True)
class Settings:
    """One installation's settings; each reads ``GATEHOUSE_<NAME>`` and has a working default."""

    data_dir: Path = field(default_factory=lambda: Path(_text("DATA_DIR", "data")).resolve())
    database: str = field(default_factory=lambda: _text("DATABASE_URL", ""))
    host: str = field(default_factory=lambda: _text("HOST", "0.0.0.0"))  # noqa: S104 - phones must reach it
    port: int = field(default_factory=lambda: _number("PORT", 8020, 0, 65_535))
    public_url: str = field(default_factory=lambda: _text("PUBLIC_URL", "").rstrip("/"))
    tls_certificate: str = field(default_factory=lambda: _text("TLS_CERTIFICATE", ""))
    tls_key: str = field(default_factory=lambda: _text("TLS_KEY", ""))
    trusted_proxy_hops: int = field(default_factory=lambda: _number("TRUSTED_PROXY_HOPS", 0, 0, 10))
    demo: bool = field(default_factory=lambda: _flag("DEMO", False))
    # GB/T 22239 wants idle log-out and a lock after failures; the numbers are assessors' usual ones.
    idle_minutes_staff: int = field(default_factory=lambda: _number("IDLE_MINUTES_STAFF", 30, 1, 480))
    idle_minutes_manager: int = field(default_factory=lambda: _number("IDLE_MINUTES_MANAGER", 15, 1, 60))
    idle_minutes_resident: int = field(
        default_factory=lambda: _number("IDLE_MINUTES_RESIDENT", 43_200, 5, 43_200)
    )
    sign_in_failures: int = field(default_factory=lambda: _number("SIGN_IN_FAILURES", 5, 3, 10))
    sign_in_lock_minutes: int = field(default_factory=lambda: _number("SIGN_IN_LOCK_MINUTES", 30, 10, 1440))
    # Per address, so that one machine cannot try many names; behind one router many honest people sit, hence 30.
    sign_in_address_attempts: int = field(
        default_factory=lambda: _number("SIGN_IN_ADDRESS_ATTEMPTS", 30, 5, 1000)
    )
    reveals_per_hour: int = field(default_factory=lambda: _number("REVEALS_PER_HOUR", 20, 1, 200))
    # A folder below <data>/models; empty means that people compare faces (see docs/faces.md).
    face_pack: str = field(default_factory=lambda: _text("FACE_PACK", ""))
    # Ways to people outside (docs/messages.md); nothing is asked of another host unless it is named here.
    smtp_host: str = field(default_factory=lambda: _text("SMTP_HOST", ""))
    smtp_port: int = field(default_factory=lambda: _number("SMTP_PORT", 587, 1, 65_535))
    smtp_security: str = field(
        default_factory=lambda: _choice("SMTP_SECURITY", "starttls", ("starttls", "tls", "none"))
    )
    smtp_user: str = field(default_factory=lambda: _text("SMTP_USER", ""))
    smtp_password: str = field(default_factory=lambda: _text("SMTP_PASSWORD", ""), repr=False)
    smtp_from: str = field(default_factory=lambda: _text("SMTP_FROM", ""))
    sms_gateway: str = field(default_factory=lambda: _text("SMS_GATEWAY", ""))
    sms_secret: str = field(default_factory=lambda: _text("SMS_SECRET", ""), repr=False)
    wecom_robot: str = field(default_factory=lambda: _text("WECOM_ROBOT", ""), repr=False)
    dingtalk_robot: str = field(default_factory=lambda: _text("DINGTALK_ROBOT", ""), repr=False)
    dingtalk_secret: str = field(default_factory=lambda: _text("DINGTALK_SECRET", ""), repr=False)
    feishu_robot: str = field(default_factory=lambda: _text("FEISHU_ROBOT", ""), repr=False)
    feishu_secret: str = field(default_factory=lambda: _text("FEISHU_SECRET", ""), repr=False)
    # Networks, as CIDR and separated by commas, that webhooks may reach although they are private (S-22).
    webhook_networks: str = field(default_factory=lambda: _text("WEBHOOK_NETWORKS", ""))
    api_requests_per_minute: int = field(
        default_factory=lambda: _number("API_REQUESTS_PER_MINUTE", 6000, 60, 1_000_000)
    )
    lost_pass_fee_fen: int = field(default_factory=lambda: _number("LOST_PASS_FEE_FEN", 2000, 0, 1_000_000))

    @property
    def database_url(self) -> str:
        """The SQLAlchemy address: SQLite inside the data folder unless one is given."""
        if self.database:
            return self.database.replace("postgresql://", "postgresql+psycopg://", 1)
        return f"sqlite:///{self.data_dir / 'gatehouse.db'}"

    @property
    def uses_tls(self) -> bool:
        """Whether this process itself speaks HTTPS; cookies are then marked Secure."""
        return bool(self.tls_certificate) or self.public_url.startswith("https://")

    @property
    def base_url(self) -> str:
        """The address put into links that leave the system."""
        if self.public_url:
            return self.public_url
        return f"{'https' if self.tls_certificate else 'http'}://localhost:{self.port}"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process; tests clear the cache after changing the environment."""
    return Settings()
