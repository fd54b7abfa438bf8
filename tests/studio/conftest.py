"""A studio over a small newsletter: its workshop, its site, and a server with a real browser."""

from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from digest.config import load
from digest.studio.bell import Bell
from digest.studio.site import application
from digest.studio.workshop import Opening, Workshop
from digest.tokens import Keys
from tests.project import make_project

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)  # the issue of the 19th is the newest with posts
KEYS = Keys((b"a-secret-key-for-tests",))
HOST = "http://127.0.0.1:4747"


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path)


@pytest.fixture
def opening(project):
    """How the studio of the project is started; tests replace what they need."""
    return Opening(load=lambda: load(project.root / "digest.toml", {}), keys=KEYS, now=lambda: NOW)


@pytest.fixture
def workshop(opening):
    return Workshop(opening)


@pytest.fixture
def client(workshop):
    """Asks the site without a server, and without watching files."""
    return TestClient(application(workshop, Bell()), base_url=HOST)
