"""Whether a container's own service answers: exit status 0 or 1, for Docker's health checks.

python healthy.py http URL            a web page is there
python healthy.py kafka HOST:PORT     a broker answers its protocol
"""

from __future__ import annotations

import sys
import urllib.request


def main(kind: str, address: str) -> int:
    if kind == "kafka":
        from labkit.services.outside_kafka import OutsideKafka  # noqa: PLC0415 - 0.3 s

        return 0 if OutsideKafka(address).alive else 1
    try:
        with urllib.request.urlopen(address, timeout=3):  # noqa: S310 - our own address
            return 0
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
