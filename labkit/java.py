"""Find the Java that Spark and Kafka need, or say how to get it on this system.

Standard library only, and any Python from 3.8 on can run it by its path before anything is
installed: ``python3 labkit/java.py`` ends with status 0 and one line, or with 1 and the cure.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional  # noqa: UP035  Python 3.8 runs this

# Spark 4.1 runs on these two; Kafka 4.3 and the class-data archive are tested with them.
MAJORS = (17, 21)
PYTHONS = ((3, 11), (3, 13))
# Spark's vectorised code names this module when its Java starts; small run-time images lack it.
NEEDED_MODULE = "jdk.incubator.vector"
WINDOWS_CURE = (
    "Spark's streaming needs Linux or macOS. Run `wsl --install` in an administrator's terminal, "
    "open Ubuntu, and set the lab up there (WSL 2)."
)

# Where systems put Java when it is not on PATH: Debian, Fedora, Arch, openSUSE; Homebrew; macOS.
USUAL_PLACES = (
    "/usr/lib/jvm/*",
    "/opt/homebrew/opt/openjdk@*",
    "/usr/local/opt/openjdk@*",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
    "/opt/java/*",
)


class Java(NamedTuple):
    """One Java on this machine.

    Parameters
    ----------
    home
        Its folder, for ``JAVA_HOME``.
    version
        As it names itself: ``17.0.15``, ``1.8.0_392``.
    path
        The program ``java``.

    Examples
    --------
    >>> Java(Path("/jdk"), "1.8.0_392", Path("/jdk/bin/java")).major
    8
    """

    home: Path
    version: str
    path: Path

    @property
    def major(self) -> int:
        """The number people use: 8, 17, 21."""
        return _major(self.version)


class NoJava(RuntimeError):
    """No usable Java here; the three parts say what, why and how to go on."""

    def __init__(self, what: str, why: str, cure: str) -> None:
        super().__init__(f"{what} {why} {cure}")
        self.what, self.why, self.cure = what, why, cure


def find_java() -> Java:
    """Return a Java 17 or 21: from JAVA_HOME, PATH, this environment or the usual folders.

    Raises
    ------
    NoJava
        There is none; its text names the Java that was found, if any, and the install command.

    Examples
    --------
    >>> find_java().major in (17, 21)
    True
    """
    others = []
    for home in _homes():
        java = _look(home)
        if java and java.major in MAJORS and not _is_cut_down(home):
            return java
        if java:
            others.append(java)
    raise _no_java(others)


def require_java() -> Java:
    """Return :func:`find_java`'s answer, or raise labkit's own error.

    Raises
    ------
    MissingNeed
        ``NEEDS`` with what was found and the install command for this system.
    """
    from labkit.errors import MissingNeed  # noqa: PLC0415  this file also runs without labkit

    try:
        return find_java()
    except NoJava as error:
        raise MissingNeed("NEEDS", need=error.what, reason=error.why, cure=error.cure) from None


def install_command(release: Optional[Dict[str, str]] = None) -> str:  # noqa: UP006, UP045  3.8
    """Return the words that tell how to install Java on this system.

    Parameters
    ----------
    release
        The facts of ``/etc/os-release``; None reads them from this system.

    Examples
    --------
    >>> install_command({"ID": "arch"}).split()[-1]
    'jre21-openjdk-headless'
    """
    if release is None:
        if _in_conda():
            return "conda install -c conda-forge openjdk=17"
        if sys.platform == "darwin":
            return "brew install openjdk@17" if shutil.which("brew") else _without_brew()
        release = _os_release()
    family = " ".join([release.get("ID", ""), release.get("ID_LIKE", "")]).split()
    for name, command in _commands(release).items():
        if name in family:
            return _as_root() + command
    return "Install OpenJDK 17 or 21 with your system's package tool"


def _commands(release: Dict[str, str]) -> Dict[str, str]:  # noqa: UP006  Python 3.8 runs this
    # Debian 12 has 17 only, Debian 13 has 21 and 25; every Ubuntu in use has 21; Fedora dropped 17.
    number = release.get("VERSION_ID", "99").split(".")[0]
    old = release.get("ID") == "debian" and number.isdigit() and int(number) <= 12
    return {
        "debian": f"apt-get install -y openjdk-{17 if old else 21}-jre-headless",
        "ubuntu": "apt-get install -y openjdk-21-jre-headless",
        "fedora": "dnf install -y java-21-openjdk-headless",
        "rhel": "dnf install -y java-21-openjdk-headless",
        "suse": "zypper install -y java-21-openjdk-headless",
        "arch": "pacman -S --noconfirm jre21-openjdk-headless",
        "alpine": "apk add openjdk21-jre-headless bash",
    }


def _as_root() -> str:
    return "" if os.geteuid() == 0 else "sudo "


def _without_brew() -> str:
    return "Install Homebrew and run `brew install openjdk@17`, or use environment.yml with conda"


def _in_conda() -> bool:
    return (Path(sys.prefix) / "conda-meta").is_dir()


def _os_release() -> Dict[str, str]:  # noqa: UP006  Python 3.8 runs this
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {name: value.strip().strip("\"'") for name, value in pairs}


def _homes() -> Iterator[Path]:
    """Yield the folders where a Java may be, the ones that the user chose first."""
    given = os.environ.get("JAVA_HOME")
    if given:
        yield Path(given).expanduser()
    on_path = shutil.which("java")
    if on_path:
        yield Path(on_path).resolve().parent.parent
    # A kernel started by its path runs in a conda environment that was never activated.
    yield Path(sys.prefix)
    yield Path(sys.prefix) / "lib" / "jvm"
    for pattern in USUAL_PLACES:
        yield from sorted(Path("/").glob(pattern[1:]))


def _look(home: Path) -> Optional[Java]:  # noqa: UP045  Python 3.8 runs this
    program = home / "bin" / "java"
    if not os.access(str(program), os.X_OK):
        return None
    version = _release_file(home).get("JAVA_VERSION") or _ask(program)
    return Java(home, version, program) if version else None


def _release_file(home: Path) -> Dict[str, str]:  # noqa: UP006  Python 3.8 runs this
    """Read the facts that every JDK since 9 keeps in a file; a start of Java costs much more."""
    try:
        text = (home / "release").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    return dict(re.findall(r'^(\w+)="(.*)"$', text, re.MULTILINE))


def _ask(program: Path) -> str:
    try:
        done = subprocess.run(
            [str(program), "-version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r'version "([^"]+)"', done.stderr + done.stdout)
    return found.group(1) if found else ""  # macOS has a `java` that only offers to install one


def _major(version: str) -> int:
    numbers = [int(n) for n in re.findall(r"\d+", version)[:2]]
    if not numbers:
        return 0
    return numbers[1] if numbers[0] == 1 and len(numbers) > 1 else numbers[0]


def _is_cut_down(home: Path) -> bool:
    modules = _release_file(home).get("MODULES")
    return modules is not None and NEEDED_MODULE not in modules.split()


def _no_java(others: List[Java]) -> NoJava:  # noqa: UP006  Python 3.8 runs this
    if sys.platform == "win32":
        return NoJava("This is plain Windows.", "", WINDOWS_CURE)
    what = "Spark needs Java 17 or 21."
    if not others:
        why = "No Java was found here."
    elif others[0].major in MAJORS:
        why = f"The Java in {others[0].home} is cut down: it lacks {NEEDED_MODULE}."
    else:
        listed = ", ".join(f"{j.version} in {j.home}" for j in dict.fromkeys(others))
        why = f"Only this was found: Java {listed}."
    return NoJava(what, why, f"{install_command()}, or set JAVA_HOME to a Java 17 or 21.")


def check() -> List[str]:  # noqa: UP006  Python 3.8 runs this
    """Return what this machine lacks before anything is installed, one line each; [] is good."""
    if sys.platform == "win32":
        return [WINDOWS_CURE]
    lacks = []
    if not PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        lacks.append(
            f"This Python is {platform.python_version()} ({sys.executable}); the lab needs 3.11, "
            "3.12 or 3.13. Name one: `make lab PYTHON=python3.12`, or use environment.yml."
        )
    try:
        find_java()
    except NoJava as error:
        lacks.append(str(error))
    return lacks


def main() -> int:
    """Run the check of the set-up; the exit status tells."""
    lacks = check()
    for line in lacks:
        sys.stderr.write(line + "\n")
    if not lacks:
        java = find_java()
        python = platform.python_version()
        sys.stdout.write(f"Python {python} and Java {java.version} ({java.home}) fit.\n")
    return 1 if lacks else 0


if __name__ == "__main__":
    sys.exit(main())
