"""A small server that Spark's socket source connects to: each event is one line of text.

There are no threads: the system completes the handshake with a client and keeps it in line; the
next write takes it in first. So every client gets every line that is sent after it connected.
"""

from __future__ import annotations

import errno
import selectors
import socket as net
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from labkit import settings
from labkit.errors import Conflict, InvalidArgument, NotReady, require_int
from labkit.events.stream import Event, EventStream
from labkit.feeds.encode import TextOf, line_text
from labkit.feeds.query import source_offsets

# A client that takes nothing for so long is dropped, so that the others get their lines.
SLOW_CLIENT_S = 2.0
WAITING_CLIENTS = 128


def socket(*, port: int = 0) -> SocketTarget:
    """Open a port that a feed writes lines to, and that Spark can read from.

    Parameters
    ----------
    port
        0 (the system chooses a free one) to 65535. A port that this kernel opened before is
        taken over; the clients of the older one are disconnected.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``: no such port, or one that needs an administrator.
    Conflict
        ``PORT_TAKEN``: another program listens there.

    Examples
    --------
    >>> lines = socket()
    >>> lines.port > 0
    True
    >>> lines.close()
    """
    require_int("port", port, low=0, high=65535)
    if port in _open:
        _open[port].close()
    target = SocketTarget(port)
    _open[target.port] = target
    return target


# The ports that this kernel has opened: a cell that names a port can be run twice.
_open: dict[int, SocketTarget] = {}


class Client:
    """One connected reader, and how many lines it was sent."""

    def __init__(self, connection: net.socket) -> None:
        connection.settimeout(SLOW_CLIENT_S)
        self.connection = connection
        self.lines = 0

    def is_gone(self) -> bool:
        """Say whether the client has closed the connection (or its sending half of it)."""
        if not _has_news(self.connection, 0):
            return False  # connected, and it says nothing: what readers do
        try:
            return self.connection.recv(1, net.MSG_PEEK) == b""
        except OSError:
            return True

    def send(self, text: bytes, lines: int) -> bool:
        """Send whole lines; False when the client is too slow or gone."""
        try:
            self.connection.sendall(text)
        except OSError:  # a timeout is one too
            return False
        self.lines += lines
        return True


class SocketTarget:
    """A listening port as the target of feeds; :func:`socket` makes it.

    Notes
    -----
    **Steps**: Spark's socket source takes lines in one by one, so a step is sometimes two
    micro-batches; ``step`` returns after the last one.

    **Ports, threads**: one port on ``settings.host()`` until :meth:`close`; no threads. A client
    that takes nothing for 2 s, or that closes its sending half, counts as gone.

    Examples
    --------
    >>> lines = socket()
    >>> lines
    <socket for lines of text>
    >>> lines.close()
    """

    kind = "socket"
    name = None

    def __init__(self, port: int = 0) -> None:
        self.host = settings.host()
        self._clients: list[Client] = []
        self._lock = threading.Lock()
        self._listener = _listen(self.host, port)
        self.port: int = self._listener.getsockname()[1]

    def __repr__(self) -> str:
        return "<socket for lines of text>"

    @property
    def place(self) -> str:
        """Host and port; see :class:`labkit.feeds.target.Target`."""
        return f"{self.host}:{self.port}"

    def run(self, events: EventStream, *, key: str | None = None) -> SocketRun:
        """Begin a run; see :class:`labkit.feeds.target.Target`."""
        del key  # lines have no keys; the feed has checked the column's name
        return SocketRun(self, line_text(events.schema))

    def wait_for_client(self, timeout_s: float) -> bool:
        """Say whether a client is connected; wait for one at most ``timeout_s`` (real clock)."""
        deadline = time.monotonic() + timeout_s
        while True:
            with self._lock:
                self._take_in()
                if self._clients:
                    return True
                if self._listener.fileno() < 0:
                    return False
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return False
            _has_news(self._listener, left_s)

    def send(self, text: bytes, lines: int) -> int:
        """Send whole lines to every client, and return how many clients took them."""
        with self._lock:
            self._take_in()
            self._keep([client for client in self._clients if client.send(text, lines)])
            return len(self._clients)

    def lines_sent(self) -> set[int]:
        """Return how many lines each connected client has been sent."""
        return {client.lines for client in self._clients}

    def close(self) -> None:
        """Disconnect all clients and free the port; safe to call twice."""
        with self._lock:
            self._keep([])
            self._listener.close()
        if _open.get(self.port) is self:
            del _open[self.port]

    def _take_in(self) -> None:
        """Accept the clients that wait in line, and let go of those that are gone."""
        while self._listener.fileno() >= 0 and _has_news(self._listener, 0):
            try:
                connection, _ = self._listener.accept()
            except OSError:
                break  # it hung up before it was taken in
            self._clients.append(Client(connection))
        self._keep([client for client in self._clients if not client.is_gone()])

    def _keep(self, clients: list[Client]) -> None:
        for client in self._clients:
            if client not in clients:
                client.connection.close()
        self._clients = clients


class SocketRun:
    """One feed's lines on a socket; see :class:`labkit.feeds.target.Run`."""

    def __init__(self, target: SocketTarget, text_of: TextOf) -> None:
        self._target = target
        self._text_of = text_of
        self._lines = 0

    def ready(self, timeout_s: float) -> bool:
        """Say whether a client is connected; wait for one at most ``timeout_s``."""
        return self._target.wait_for_client(timeout_s)

    def write(self, items: Sequence[Event], *, timeout_s: float) -> None:
        """Send each event as one line to every client.

        Raises
        ------
        NotReady
            ``NOT_READY``: the last client left before it took the lines.
        """
        text = "".join(f"{self._text_of(event)}\n" for event in items).encode()
        if not self._target.send(text, len(items)):
            raise NotReady(
                "NOT_READY",
                what=f"No client reads from port {self._target.port}",
                timeout_s=timeout_s,
                reason="The last one left while lines were sent to it.",
                cure="Start the query that reads from it, then step again.",
            )
        self._lines += len(items)

    def arrival(self, query: Any) -> Callable[[], bool]:
        """Return a test whether the query has taken in the lines written from now on.

        Spark's source counts the lines that it has read; its offset is the index of the last one.
        """
        mine = f"port: {self._target.port}]"
        lines_before = self._lines
        offset_before = min(source_offsets(query, reads_from=mine), default=-1)

        def has_arrived() -> bool:
            if self._lines == lines_before:
                return True
            wanted = offset_before + self._lines - lines_before
            offsets = source_offsets(query, reads_from=mine)
            sent = self._target.lines_sent()
            return bool(offsets) and all(o >= wanted and o + 1 in sent for o in offsets)

        return has_arrived


def _has_news(connection: net.socket, timeout_s: float) -> bool:
    """Say whether there is something to accept, to read, or an end; wait for it so long."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        return bool(selector.select(timeout_s))


def _listen(host: str, port: int) -> net.socket:
    listener = net.socket(net.AF_INET, net.SOCK_STREAM)
    try:
        # Without it a port stays taken for a minute after its last client has gone.
        listener.setsockopt(net.SOL_SOCKET, net.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(WAITING_CLIENTS)
    except OSError as error:
        listener.close()
        raise _refusal(error, host, port) from error
    return listener


def _refusal(error: OSError, host: str, port: int) -> Conflict | InvalidArgument:
    if error.errno == errno.EADDRINUSE:
        return Conflict("PORT_TAKEN", port=port, host=host)
    if error.errno in {errno.EACCES, errno.EPERM}:
        bound = "0, or 1024 and more: lower ports need an administrator"
        return InvalidArgument("OUT_OF_RANGE", name="port", value=port, bound=bound)
    bound = f"an address of this machine ({error.strerror or error})"
    return InvalidArgument("OUT_OF_RANGE", name="LABKIT_HOST", value=host, bound=bound)
