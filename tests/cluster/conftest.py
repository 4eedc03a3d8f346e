import pytest

from .stack import IMAGE, Stack, build_images, engine


@pytest.fixture(scope="session")
def images():
    with engine():
        build_images()
        yield IMAGE


@pytest.fixture(scope="session")
def stack(images):  # noqa: ARG001 - they are built first
    stack = Stack("labkit-test", "tests.yaml")
    stack.down("--volumes", "--remove-orphans")
    try:
        stack.up()
        yield stack
    finally:
        stack.down("--volumes", "--remove-orphans")
