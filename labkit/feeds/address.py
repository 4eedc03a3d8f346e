"""Targets written as one text, for the command line: ``labkit feed orders --to <text>``."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from labkit import settings
from labkit.errors import InvalidArgument, NotFound, require_choice, require_type
from labkit.feeds.folder import FolderTarget, folder
from labkit.feeds.socket_server import SocketTarget
from labkit.feeds.socket_server import socket as open_socket
from labkit.feeds.target import Target

EXAMPLES = "kafka://127.0.0.1:9092/orders, folder:/tmp/orders?format=csv, socket://127.0.0.1:9999"
LOOPBACK = ("127.0.0.1", "localhost")


def target_from_url(text: str) -> Target:
    """Return the target that a text names, connected and ready to be fed.

    Parameters
    ----------
    text
        ``kafka://host:port/topic`` (``?partitions=2`` if it has to be made; a topic that is there
        is added to), ``folder:path`` or a plain path (``?format=csv``; relative to the current
        folder, never emptied), ``socket://127.0.0.1:port``.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE``, ``OUT_OF_RANGE``, ``UNKNOWN_CHOICE`` (kind of target, option or format), or
        ``NOT_WRITABLE``.
    Conflict
        ``PORT_TAKEN``.
    Unreachable
        ``UNREACHABLE``: no broker there.

    Examples
    --------
    >>> import tempfile
    >>> target_from_url(f"folder:{tempfile.mkdtemp()}?format=csv")
    <folder for csv files>
    """
    require_type("to", text, str, expected="text")
    kind, colon, rest = text.partition(":")
    if not colon or "/" in kind or "?" in kind:
        kind, rest = "folder", text
    require_choice("to", kind, ("folder", "kafka", "socket"), cure=f"Such as {EXAMPLES}.")
    address, _, query = rest.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    target: Target = _MAKE[kind](address, options)
    return target


def _folder(address: str, options: dict[str, str]) -> FolderTarget:
    _require_options(options, ("format",))
    path = unquote(address.removeprefix("//") if address.startswith("///") else address)
    if not path or path.startswith("//"):
        raise _wrong(f"folder:{address}")
    return folder(Path(path).expanduser().absolute(), format=options.get("format", "json"))


def _socket(address: str, options: dict[str, str]) -> SocketTarget:
    _require_options(options, ())
    host, port = _host_and_port(f"socket:{address}")
    if host not in {settings.host(), *LOOPBACK}:
        bound = f"socket://{settings.host()}:port: the feed itself is the server"
        raise InvalidArgument("OUT_OF_RANGE", name="to", value=f"socket:{address}", bound=bound)
    return open_socket(port=port)


def _kafka(address: str, options: dict[str, str]) -> Target:
    from labkit.feeds.topic import KafkaTopic  # noqa: PLC0415 (only this kind needs Kafka's client)

    _require_options(options, ("partitions",))
    servers, _, topic = address.removeprefix("//").partition("/")
    if not address.startswith("//") or not servers or not topic:
        raise _wrong(f"kafka:{address}")
    partitions = _whole("partitions", options.get("partitions", "1"))
    try:
        return KafkaTopic(servers, unquote(topic), partitions=partitions, create=False)
    except NotFound:
        return KafkaTopic(servers, unquote(topic), partitions=partitions)


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise InvalidArgument("OUT_OF_RANGE", name=name, value=text, bound="a whole number")
    return int(text)


_MAKE: dict[str, Any] = {"folder": _folder, "kafka": _kafka, "socket": _socket}


def _host_and_port(text: str) -> tuple[str, int]:
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        port = None
    if not parts.hostname or port is None or parts.path.strip("/"):
        raise _wrong(text)
    return parts.hostname, port


def _require_options(options: dict[str, str], known: tuple[str, ...]) -> None:
    for name in options:
        require_choice("option", name, known or ("none",))


def _wrong(text: str) -> InvalidArgument:
    return InvalidArgument("OUT_OF_RANGE", name="to", value=text, bound=f"such as {EXAMPLES}")
