"""The doctor: one line for each thing that labkit needs, and the cure beside what is missing.

Every ``check_…`` function looks at one thing and returns one :class:`Finding`; none starts, fetches
or repairs anything (folders of labs that were killed are swept, as at every start of a lab).
"""

from __future__ import annotations

import platform
import re
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import psutil
from packaging.requirements import Requirement

from labkit import java, scratch, settings
from labkit.engine import archive
from labkit.findings import FAIL, NOTE, OK, Finding, Report
from labkit.jars import lock

# Measured: Jupyter's server 135 MB, kernel 109 MB, Spark 460 MB, broker 190 MB; the rest is air.
MEMORY_MB = 1250
DISK_MB = 1000
ANSWER_S = 2.0


def doctor() -> Report:
    """Look at everything that labkit needs on this machine; nothing is started or fetched.

    Returns
    -------
    Report
        ``.ok``, ``.problems``, ``.findings``, ``.to_text()``; a table in a notebook.

    Examples
    --------
    >>> isinstance(doctor().ok, bool)
    True
    """
    return Report(tuple(check() for check in CHECKS))


def check_system() -> Finding:
    """Look at the system: Linux and macOS are fine, Windows only through WSL 2."""
    found = f"{platform.system()} {platform.release()}, {platform.machine()}"
    if sys.platform == "win32":
        cure = "Install WSL 2 (in PowerShell: wsl --install) and run labkit inside it."
        return Finding("system", FAIL, f"{found}: plain Windows is not supported", cure)
    return Finding("system", OK, found)


def check_python() -> Finding:
    """Look at Python: 3.11 to 3.13."""
    found = f"{platform.python_version()} at {sys.executable}"
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Finding("Python", OK, found)
    return Finding("Python", FAIL, found, "Use Python 3.11, 3.12 or 3.13.")


def check_packages() -> Finding:
    """Compare the installed versions with the bounds that labkit was tested with."""
    needs = [Requirement(text) for text in metadata.requires("labkit") or ()]
    wanted = [need for need in needs if not need.marker or need.marker.evaluate({"extra": "lab"})]
    there = {need.name: _version(need.name) for need in wanted}
    wrong = [need for need in wanted if not need.specifier.contains(there[need.name] or "0")]
    if wrong:
        found = ", ".join(f"{need.name} {there[need.name] or 'missing'}" for need in wrong)
        named = " ".join(f'"{need.name}{need.specifier}"' for need in wrong)
        return Finding("packages", FAIL, found, f"{sys.executable} -m pip install {named}")
    told = ("pyspark", "pandas", "pyarrow", "jupyterlab", "ipykernel", "ipywidgets", "anywidget")
    return Finding("packages", OK, ", ".join(f"{name} {there[name]}" for name in told))


def check_java() -> Finding:
    """Look for Java 17 or 21."""
    try:
        found = java.find_java()
    except java.NoJava as error:
        return Finding("Java", FAIL, f"{error.what} {error.why}", error.cure)
    return Finding("Java", OK, f"{found.version} at {found.path}")


def check_jars() -> Finding:
    """Compare the jars with the lock: all there, and each with the right sum."""
    missing = lock.missing()
    if missing:
        found = f"{len(missing)} of {len(lock.jars())} are missing, the first is {missing[0]}"
        return Finding("jars", FAIL, found, "labkit fetch")
    damaged = lock.damaged()
    if damaged:
        found = f"damaged: {', '.join(damaged)}"
        return Finding(
            "jars", FAIL, found, "labkit fetch (it removes them), then again: labkit fetch"
        )
    return Finding("jars", OK, f"all {len(lock.jars())} there, sums right, in {settings.jars()}")


def check_archive() -> Finding:
    """Look for the class-data archive, which halves the start of a Spark session."""
    try:
        file = archive.current()
    except ImportError:
        return Finding("archive", NOTE, "not looked at, because PySpark is missing")
    if file:
        return Finding("archive", OK, "a class-data archive makes Spark start fast")
    return Finding("archive", NOTE, "none for this Java: Spark starts slowly", "labkit fetch")


def check_memory() -> Finding:
    """Measure free memory, the limit of a container included."""
    free = psutil.virtual_memory().available // 10**6
    limit = _container_free_mb()
    free = free if limit is None else min(free, limit)
    found = f"{free:,} MB free"
    if free >= MEMORY_MB:
        return Finding("memory", OK, found)
    cure = f"Close other programs: one learner needs about {MEMORY_MB:,} MB."
    return Finding("memory", FAIL, found, cure)


def check_disk() -> Finding:
    """Measure free disk where the scratch space lies."""
    free = shutil.disk_usage(_present(settings.home())).free // 10**6
    found = f"{free:,} MB free"
    if free >= DISK_MB:
        return Finding("disk", OK, found)
    return Finding(
        "disk", FAIL, found, "Make room, or set LABKIT_HOME to a folder on another disk."
    )


def check_ports() -> Finding:
    """Try to listen on ``LABKIT_HOST``, as every server of ours does."""
    host = settings.host()
    try:
        with socket.create_server((host, 0)):
            return Finding("ports", OK, f"servers can listen on {host}")
    except OSError as error:
        cure = "Unset LABKIT_HOST, or set it to an address of this machine."
        return Finding("ports", FAIL, f"no server can listen on {host}: {error.strerror}", cure)


def check_kafka() -> Finding:
    """Try to reach the outside broker, if ``LABKIT_KAFKA`` names one."""
    servers = settings.kafka()
    if servers is None:
        return Finding("Kafka", OK, "lab.kafka() starts a broker of its own")
    silent = [server for server in servers.split(",") if not _answers(server.strip())]
    if not silent:
        return Finding("Kafka", OK, f"LABKIT_KAFKA={servers} answers")
    cure = "Start that broker, correct LABKIT_KAFKA, or unset it: lab.kafka() then starts one."
    return Finding("Kafka", FAIL, f"no answer from {', '.join(silent)}", cure)


def check_scratch() -> Finding:
    """Try to write where the scratch space lies."""
    home = settings.home()
    try:
        with tempfile.TemporaryFile(dir=_present(home)):
            return Finding("scratch", OK, f"{home} can be written to")
    except OSError as error:
        cure = "Set LABKIT_HOME to a folder of your own."
        return Finding("scratch", FAIL, f"{home} cannot be written to: {error.strerror}", cure)


def check_leftovers() -> Finding:
    """Look for processes and folders of labs that were killed."""
    stray = list(_stray_processes())
    if stray:
        named = ", ".join(f"{process.name()} {process.pid}" for process in stray)
        cure = "kill " + " ".join(str(process.pid) for process in stray)
        return Finding("leftovers", FAIL, f"from labs that are gone: {named}", cure)
    folders = scratch.sweep()  # as every lab does when it starts
    if folders:
        found = f"{len(folders)} folders of labs that were killed; they are removed now"
        return Finding("leftovers", NOTE, found)
    return Finding("leftovers", OK, "nothing from earlier labs")


CHECKS: tuple[Callable[[], Finding], ...] = (
    check_system,
    check_python,
    check_java,
    check_packages,
    check_jars,
    check_archive,
    check_memory,
    check_disk,
    check_scratch,
    check_ports,
    check_kafka,
    check_leftovers,
)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _container_free_mb() -> int | None:
    """Return what the memory limit of this control group leaves, if there is one."""
    group = Path("/sys/fs/cgroup")
    try:
        limit = int((group / "memory.max").read_text())
        return (limit - int((group / "memory.current").read_text())) // 10**6
    except (OSError, ValueError):  # no such file, or "max": no limit
        return None


def _present(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that is there."""
    return next(path for path in (folder, *folder.parents) if path.is_dir())


def _answers(server: str) -> bool:
    host, _, port = server.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=ANSWER_S):
            return True
    except (OSError, ValueError):
        return False


def _stray_processes() -> Iterator[psutil.Process]:
    """Yield this user's processes that work in the folder of a lab that is gone."""
    folder = re.compile(re.escape(str(settings.home())) + r"/(\d+)-\d+")
    ours = psutil.Process().username()
    for process in psutil.process_iter(["cmdline", "username"]):
        lab = folder.search(" ".join(process.info["cmdline"] or ()))
        if lab and process.info["username"] == ours and not psutil.pid_exists(int(lab[1])):
            yield process
