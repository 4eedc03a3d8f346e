"""Whether a container's own service answers: exit status 0 or 1, for Docker's health checks.

python healthy.py http HOST:PORT[/PATH]     a web page is there
python healthy.py kafka HOST:PORT           a broker answers its protocol

A check runs every few seconds in every container, so it uses bare sockets and loads no client.
"""

from __future__ import annotations

import socket
import struct
import sys

ANSWER_S = 3.0
# Kafka's first question, "which versions do you speak?", version 0: length, its key 18, version,
# a number that the answer repeats, no name of a client.
NUMBER = 7
API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, NUMBER, -1)


def main(kind: str, address: str) -> int:
    place, _, path = address.partition("/")
    try:
        if kind == "kafka":
            return 0 if answer(place, API_VERSIONS)[4:8] == struct.pack(">i", NUMBER) else 1
        return 0 if answer(place, f"GET /{path} HTTP/1.0\r\n\r\n".encode())[9:12] == b"200" else 1
    except OSError:
        return 1


def answer(place: str, question: bytes) -> bytes:
    """Return the first bytes of the answer."""
    host, _, port = place.rpartition(":")
    with socket.create_connection((host, int(port)), ANSWER_S) as server:
        server.sendall(question)
        return server.recv(64)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
