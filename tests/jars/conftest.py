"""A repository of small jars on loopback, which counts what it was asked for and can hold back."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from labkit.jars import ivy, lock

NAMES = {"one": "kafka", "two": "kafka", "three": "broker"}


class Repository:
    """Serves ``one``, ``two`` and ``three``, version 1, in Maven's layout."""

    def __init__(self):
        self.content = {name: name.encode() * 4000 for name in NAMES}
        self.sent = Counter()
        self.held = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def root(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def hold(self, name):
        """Send only half of a jar until the returned event is set."""
        self.held[name] = threading.Event()
        return self.held[name]

    def close(self):
        for event in self.held.values():
            event.set()
        self._server.shutdown()
        self._server.server_close()

    def write_files(self, folder):
        """Write what labkit reads: dependencies and lock."""
        lines = [
            f'<dependency org="org.test" name="{name}" rev="1" conf="{set_}->default"/>'
            for name, set_ in NAMES.items()
        ]
        (folder / "connectors.xml").write_text(f"<ivy-module>{''.join(lines)}</ivy-module>")
        (folder / "jars.lock").write_text("".join(sorted(self._lock_lines())))

    def write_settings(self, file, root=None):
        """Write Ivy's settings for this repository, or for one at another address."""
        file.write_text(_ivy_settings(root or self.root))

    def _lock_lines(self):
        for name, set_ in NAMES.items():
            content = self.content[name]
            yield f"{set_} {name}-1.jar {hashlib.sha256(content).hexdigest()} {len(content)}\n"

    def _handler(self):
        repository = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self):
                self._head()

            def do_GET(self):
                name = self._head()
                if name is None:
                    return
                repository.sent[name] += 1
                body = repository.content[name]
                self.wfile.write(body[: len(body) // 2])
                if name in repository.held:
                    repository.held[name].wait()
                self.wfile.write(body[len(body) // 2 :])

            def _head(self):
                name = self.path.rsplit("/", 1)[-1].removesuffix("-1.jar")
                known = name in repository.content
                self.send_response(200 if known else 404)
                self.send_header("Content-Length", str(len(repository.content.get(name, b""))))
                self.end_headers()
                return name if known else None

            def log_message(self, *_words):
                pass

        return Handler


def _ivy_settings(root):
    return (
        '<ivysettings><settings defaultResolver="test"/><resolvers>'
        f'<ibiblio name="test" m2compatible="true" usepoms="false" root="{root}"/>'
        "</resolvers></ivysettings>"
    )


@pytest.fixture
def repository(monkeypatch, tmp_path):
    """Three small jars to fetch; LABKIT_JARS is empty."""
    repository = Repository()
    repository.write_files(tmp_path)
    repository.write_settings(tmp_path / "ivysettings.xml")
    monkeypatch.setattr(lock, "LOCK_FILE", tmp_path / "jars.lock")
    monkeypatch.setattr(ivy, "CONNECTORS", tmp_path / "connectors.xml")
    monkeypatch.setenv("LABKIT_JARS", str(tmp_path / "jars"))
    monkeypatch.setenv("LABKIT_IVY_SETTINGS", str(tmp_path / "ivysettings.xml"))
    lock._read.cache_clear()
    yield repository
    repository.close()
    lock._read.cache_clear()
