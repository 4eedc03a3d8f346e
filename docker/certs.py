"""Copy the certificates that this machine trusts beyond Debian's public ones to docker/certs/.

    python3 docker/certs.py [BUNDLE]

BUNDLE is a file of certificates; without it, that of SSL_CERT_FILE or of the system. Debian and
its relatives only: the public ones are known from the package ca-certificates.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

PLACE = Path(__file__).parent / "certs"
PUBLIC = Path("/usr/share/ca-certificates")
SYSTEM = "/etc/ssl/certs/ca-certificates.crt"
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s(.+?)-----END CERTIFICATE-----", re.DOTALL)


def main(bundle: str) -> int:
    public = {one for file in PUBLIC.rglob("*.crt") for one in certificates(file)}
    if not public:
        print(f"No public certificates in {PUBLIC}: nothing to compare with.", file=sys.stderr)
        return 1
    own = [one for one in certificates(Path(bundle)) if one not in public]
    for number, one in enumerate(own, start=1):
        text = f"-----BEGIN CERTIFICATE-----\n{one}-----END CERTIFICATE-----\n"
        (PLACE / f"machine-{number}.crt").write_text(text)
    print(f"{len(own)} certificates copied to docker/certs/.")
    return 0


def certificates(file: Path) -> list[str]:
    """Return the bodies of the certificates in a file, in lines of 64 characters."""
    found = ["".join(body.split()) for body in CERTIFICATE.findall(file.read_text())]
    return [re.sub("(.{1,64})", "\\1\n", body) for body in found]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2] or [os.environ.get("SSL_CERT_FILE") or SYSTEM]))
