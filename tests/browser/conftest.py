"""One Chromium for all browser tests; a page that remembers what its console complained about."""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest

from .labbrowser import CHROMIUM_OPTIONS, JupyterLab, find_chromium


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def chromium():
    """Return a Playwright browser: the Chromium of this system."""
    path = find_chromium()
    if path is None:
        missing = "no Chromium here: install chromium, or set LABKIT_CHROMIUM to its path"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium):
    """Return a fresh page; ``page.complaints`` lists its console errors and uncaught exceptions."""
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.complaints = []
    page.on("console", lambda said: said.type == "error" and page.complaints.append(said.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    yield page
    page.close()


@pytest.fixture
def serve():
    """Return a function that starts a JupyterLab (``serve(folder)``); all end with the test."""
    with ExitStack() as servers:
        yield lambda *arguments, **named: servers.enter_context(JupyterLab(*arguments, **named))
