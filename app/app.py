"""The composition root: pages, the guard before every event, the routes, the lifespan. Imports only, no logic."""

import reflex as rx

from app.api import main
from app.pages import registry
from app.runtime import lifespan
from components.frame import wraps
from state import errors, guard, tabs

app = rx.App(
    stylesheets=["/gatehouse.css"],
    head_components=registry.head(),
    html_lang="zh-CN",
    toaster=None,
    app_wraps=wraps(),
    api_transformer=main.create(),
    backend_exception_handler=errors.handle,
)
guard.install(app)
app.register_lifespan_task(lifespan.run)
tabs.bind(app)
registry.add_pages(app)
