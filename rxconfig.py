"""Reflex's configuration; ``gatehouse serve`` is the production start, ``reflex run`` the developer's loop."""

import os

import reflex as rx

from app.core.settings import get_settings

settings = get_settings()
os.environ.setdefault("REFLEX_CHECK_LATEST_VERSION", "false")

config = rx.Config(
    app_name="app",
    state_manager_mode="memory",
    redis_token_expiration=86_400,
    backend_host=settings.host,
    cors_allowed_origins=[settings.base_url],
    trusted_proxy_hops=settings.trusted_proxy_hops,
    telemetry_enabled=False,
    show_built_with_reflex=False,
    default_color_mode="system",
    plugins=[],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
