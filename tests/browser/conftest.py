"""One Chromium for all browser tests; a page that remembers what its console complained about."""

from __future__ import annotations

import os
from contextlib import ExitStack

import pytest

from .labbrowser import CHROMIUM_OPTIONS, JupyterLab, find_chromium, open_page


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
    with open_page(chromium) as page:
        yield page


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """Return one server for all tests: it takes seconds to start. Each page ends its kernels."""
    with JupyterLab(tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture
def serve():
    """Return a function that starts a JupyterLab (``serve(folder)``); all end with the test."""
    with ExitStack() as servers:
        yield lambda *arguments, **named: servers.enter_context(JupyterLab(*arguments, **named))
