"""The installation these tests work on."""

from tests.installation import *  # noqa: F403
