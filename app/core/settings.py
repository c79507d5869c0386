"""Settings of one installation, read once from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

PREFIX = "GATEHOUSE_"


def _text(name: str, default: str) -> str:
    return os.environ.get(PREFIX + name, default)


def _flag(name: str, default: bool) -> bool:
    return _text(name, "1" if default else "0").lower() in {"1", "true", "yes", "on"}


@dataclass(frozen=True, slots=True)
class Settings:
    """One installation's settings; each reads ``GATEHOUSE_<NAME>`` and has a working default."""

    data_dir: Path = field(default_factory=lambda: Path(_text("DATA_DIR", "data")).resolve())
    database: str = field(default_factory=lambda: _text("DATABASE_URL", ""))
    host: str = field(default_factory=lambda: _text("HOST", "0.0.0.0"))  # noqa: S104 - phones must reach it
    port: int = field(default_factory=lambda: int(_text("PORT", "8020")))
    public_url: str = field(default_factory=lambda: _text("PUBLIC_URL", "").rstrip("/"))
    tls_certificate: str = field(default_factory=lambda: _text("TLS_CERTIFICATE", ""))
    tls_key: str = field(default_factory=lambda: _text("TLS_KEY", ""))
    trusted_proxy_hops: int = field(default_factory=lambda: int(_text("TRUSTED_PROXY_HOPS", "0")))
    demo: bool = field(default_factory=lambda: _flag("DEMO", False))
    idle_minutes_staff: int = field(default_factory=lambda: int(_text("IDLE_MINUTES_STAFF", "30")))
    idle_minutes_manager: int = field(default_factory=lambda: int(_text("IDLE_MINUTES_MANAGER", "15")))
    idle_minutes_resident: int = field(default_factory=lambda: int(_text("IDLE_MINUTES_RESIDENT", "43200")))
    consent_timeout_seconds: int = field(default_factory=lambda: int(_text("CONSENT_TIMEOUT_SECONDS", "120")))
    lost_pass_fee_fen: int = field(default_factory=lambda: int(_text("LOST_PASS_FEE_FEN", "2000")))

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
