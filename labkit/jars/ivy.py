"""Run Apache Ivy, which PySpark ships, on the dependencies of ``connectors.xml``.

Ivy asks the repository that it asks for ``spark.jars.packages`` too; no address stands here. Its
Java takes a proxy or a store of certificates from ``JAVA_TOOL_OPTIONS``, and the proxy from
``https_proxy`` as well, which Java by itself would not read.

``LABKIT_IVY_SETTINGS`` names a school's own ``ivysettings.xml``, for a mirror or a shared folder.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from labkit import settings
from labkit.errors import MissingNeed
from labkit.java import require_java

CONNECTORS = Path(__file__).with_name("connectors.xml")
SETTINGS = Path(__file__).with_name("ivysettings.xml")
# A network that swallows packets would hold Ivy for hours: each jar waits for its own time limit.
STALLED_S = 90.0
LOOK_EVERY_S = 0.1


class Wanted(NamedTuple):
    """One dependency line of ``connectors.xml``."""

    set: str
    organisation: str
    name: str
    revision: str

    @property
    def file_name(self) -> str:
        """The name of its jar."""
        return f"{self.name}-{self.revision}.jar"


def wanted() -> list[Wanted]:
    """Return the dependency lines of ``connectors.xml``, in its order.

    Examples
    --------
    >>> {line.set for line in wanted()} >= {"kafka", "broker"}
    True
    """
    tree = ET.parse(CONNECTORS)  # noqa: S314  our own file
    lines = (line.attrib for line in tree.iter("dependency"))
    return [Wanted(a["conf"].partition("->")[0], a["org"], a["name"], a["rev"]) for a in lines]


def download(
    lines: Collection[Wanted],
    folder: Path,
    on_look: Callable[[dict[str, int], int], None] = lambda _sizes, _found: None,
) -> None:
    """Let Ivy download these jars into a cache in ``folder``; what is there already stays.

    Parameters
    ----------
    lines
        What to bring.
    folder
        Ivy's working place; :func:`arrived` finds the jars in it, also after a failure.
    on_look
        Called ten times a second with the bytes that arrived so far, by file name, and with the
        number of jars that the repository has confirmed.

    Raises
    ------
    MissingNeed
        ``NEEDS``: no Java, or no file at ``LABKIT_IVY_SETTINGS``. ``FETCH_FAILED``: Ivy did not
        bring everything.
    """
    command = _command(lines, folder)
    log = folder / "ivy.log"
    with (
        log.open("w", encoding="utf-8") as out,
        subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT) as process,
    ):
        try:
            status = _watch(process, folder, on_look)
        finally:
            process.kill()  # Ctrl-C, or it stalled; nothing happens if it has ended
    if status != 0:
        names = ", ".join(one.file_name for one in lines if not arrived(folder, one.file_name))
        raise MissingNeed("FETCH_FAILED", jars=names, reason=_reason(log, status))


def arrived(folder: Path, file_name: str) -> list[Path]:
    """Return the complete files of this name in Ivy's cache."""
    return sorted((folder / "cache").rglob(file_name))


def _watch(
    process: subprocess.Popen[bytes], folder: Path, on_look: Callable[[dict[str, int], int], None]
) -> int | None:
    """Return Ivy's exit status, or None when nothing moved for too long."""
    before, moved_at = (-1, -1), time.monotonic()
    while True:
        status = process.poll()  # first, so that the last look sees everything
        sizes = _sizes(folder / "cache")
        found = (folder / "ivy.log").read_text(encoding="utf-8", errors="replace").count("\tfound ")
        on_look(sizes, found)
        if status is not None:
            return status
        now = (sum(sizes.values()), found)
        if now != before:
            before, moved_at = now, time.monotonic()
        if time.monotonic() - moved_at > STALLED_S:
            return None
        time.sleep(LOOK_EVERY_S)


def _sizes(cache: Path) -> dict[str, int]:
    """Return the bytes of every jar that arrived or is arriving (``.part``), by its name."""
    sizes = {}
    for file in cache.rglob("*.jar*"):
        try:
            sizes[file.name.removesuffix(".part")] = file.stat().st_size
        except FileNotFoundError:  # Ivy renamed it just now
            continue
    return sizes


def _command(lines: Collection[Wanted], folder: Path) -> list[str]:
    java, settings = require_java(), _settings()
    folder.mkdir(parents=True, exist_ok=True)
    order = folder / "ivy.xml"
    order.write_text(_ivy_file(lines), encoding="utf-8")
    options = ["-settings", str(settings), "-ivy", str(order), "-cache", str(folder / "cache")]
    # Ivy's own folder is named too, or it would make one in the user's home.
    own = f"-Divy.default.ivy.user.dir={folder / 'user'}"
    start = [str(java.path), "-Xmx128m", own, *_proxy(), "-cp", str(_ivy_jar())]
    return [*start, "org.apache.ivy.Main", *options]


def _settings() -> Path:
    given = settings.ivy_settings()
    if given is not None and not given.is_file():
        need = f"LABKIT_IVY_SETTINGS names {given}."
        cure = "Correct the variable, or unset it to use Ivy's own repository."
        raise MissingNeed("NEEDS", need=need, reason="There is no such file.", cure=cure)
    return given or SETTINGS


def _ivy_jar() -> Path:
    import pyspark  # noqa: PLC0415  half a second, and only fetching needs it

    return next((Path(pyspark.__file__).parent / "jars").glob("ivy-*.jar"))


def _proxy() -> list[str]:
    """Return Java's words for the proxy that ``https_proxy`` and ``http_proxy`` name."""
    words = []
    for scheme in ("https", "http"):
        name = f"{scheme}_proxy"
        proxy = urlsplit(os.environ.get(name) or os.environ.get(name.upper()) or "")
        if proxy.hostname:
            words.append(f"-D{scheme}.proxyHost={proxy.hostname}")
            words.append(f"-D{scheme}.proxyPort={proxy.port or 80}")
    return words


def _ivy_file(lines: Collection[Wanted]) -> str:
    module = ET.Element("ivy-module", version="2.0")
    ET.SubElement(module, "info", organisation="labkit", module="connectors")
    sets = ET.SubElement(module, "configurations")
    for name in dict.fromkeys(line.set for line in lines):
        ET.SubElement(sets, "conf", name=name)
    dependencies = ET.SubElement(module, "dependencies")
    for line in lines:
        words = {"org": line.organisation, "name": line.name, "rev": line.revision}
        conf = f"{line.set}->default"
        ET.SubElement(dependencies, "dependency", words, conf=conf, transitive="false")
    return ET.tostring(module, encoding="unicode")


def _reason(log: Path, status: int | None) -> str:
    """Return Ivy's first complaint, without its report of everything else."""
    if status is None:
        return f"Nothing arrived for {STALLED_S:g} s."
    text = log.read_text(encoding="utf-8", errors="replace")
    summary = text.partition("::::")[2]
    complaints = re.findall(r"^\t+(?!.*module not found)(\S.*)$", summary, re.MULTILINE)
    first = complaints[0].strip() if complaints else f"Ivy ended with status {status}."
    return first if first.endswith(".") else f"{first}."
