"""Other people's CSV files: any encoding, delimiter and order of columns, or a clear refusal."""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from labkit.errors import BadData, NotFound, require_type
from labkit.events.paths import files_at

ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
DELIMITERS = ",;\t|"
_GZIP_MAGIC = b"\x1f\x8b"
_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True)
class Delimited:
    """A delimited file whose columns have been found; :meth:`rows` reads it, again and again.

    Parameters
    ----------
    file
        Its path, for messages.
    text
        All of it, decoded.
    header
        The names in its first line, as they stand there.
    delimiter
        The character between two cells.
    places
        Which cell holds which wanted column.
    width
        Cells in a row; a leading column without a name counts.
    """

    file: str
    text: str
    header: list[str]
    delimiter: str
    places: dict[str, int]
    width: int

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield line number (from 1) and cells of each row; rows without content are left out.

        Raises
        ------
        BadData
            ``BAD_VALUE``: a row has more or fewer cells than the header; ``BAD_FILE``: broken
            quotes.
        """
        lines = _lines(self.file, self.text, self.delimiter)
        next(lines)  # the header
        for number, cells in lines:
            if len(cells) == self.width + 1 and not cells[-1]:
                cells.pop()  # a delimiter at the end of the line
            if len(cells) != self.width:
                raise self._wrong_width(number, cells)
            yield number, cells

    def _wrong_width(self, number: int, cells: list[str]) -> BadData:
        return self.bad_value(
            number,
            f"number {min(len(cells), self.width) + 1}",
            self.delimiter.join(cells),
            f"{self.width} values ({len(cells)} found)",
        )

    def bad_value(self, line: int, column: str, value: str, kind: str) -> BadData:
        """Return the error for a cell that cannot be read."""
        return BadData(
            "BAD_VALUE", file=self.file, line=line, column=column, value=value, kind=kind
        )


def csv_files(path: str | os.PathLike[str]) -> list[Path]:
    """Return the files meant by the path of a file, a folder or a glob, in order of name.

    In a folder only names that end in one of :data:`ENDINGS` count.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE``.
    NotFound
        ``NOT_FOUND``.
    """
    expected = "the path of a file or folder, or a glob"
    require_type("path", path, str | os.PathLike, expected=expected)
    files, is_folder = files_at(path), Path(path).expanduser().is_dir()
    if is_folder:
        files = [file for file in files if file.name.lower().endswith(ENDINGS)]
        files = [file for file in files if not file.name.startswith(".")]
    if not files:
        reason = "The folder holds no CSV file." if is_folder else "No file matches."
        cure = "Give a CSV file, a folder of them, or a glob; lab.data('stocks') is the course's."
        raise NotFound("NOT_FOUND", kind="file", name=str(path), reason=reason, cure=cure)
    return files


def open_delimited(path: Path, wanted: Mapping[str, tuple[str, ...]]) -> Delimited:
    """Read a file (also gzip) and find the wanted columns in its first line.

    Parameters
    ----------
    path
        The file.
    wanted
        For each column, the names it may have, best first, in the form of :func:`plain`. Columns
        that are not found are not in ``places``.

    Raises
    ------
    BadData
        ``BAD_FILE``: it is no text, or two columns could be the same one; ``NO_ROWS``: it is
        empty, or has a header alone.
    """
    text = _decode(path, _read_bytes(path))
    header, delimiter = _header(path, text, wanted)
    places = _find(path, header, wanted)
    lines = _lines(str(path), text, delimiter)
    next(lines)
    _, first = next(lines, (0, None))
    if first is None:
        raise BadData("NO_ROWS", file=str(path))
    # R and pandas write row numbers without a name over them, or without even a cell for it.
    shift = 1 if len(first) == len(header) + 1 and first[-1] else 0
    moved = {column: place + shift for column, place in places.items()}
    return Delimited(str(path), text, header, delimiter, moved, len(header) + shift)


def plain(name: str) -> str:
    """Return a column name without case, spaces and signs.

    Examples
    --------
    >>> plain(" <Adj. Close> ")
    'adjclose'
    """
    return re.sub(r"[\W_]+", "", name).lower()


def bad_file(path: Path | str, reason: str, cure: str = "") -> BadData:
    """Return the error for a file that cannot be read at all."""
    return BadData("BAD_FILE", file=str(path), reason=reason, cure=cure)


def _read_bytes(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
        return gzip.decompress(raw) if raw.startswith(_GZIP_MAGIC) else raw
    except (OSError, EOFError, zlib.error) as error:
        raise bad_file(path, f"{type(error).__name__}: {error}.") from None


def _decode(path: Path, raw: bytes) -> str:
    marked = (code for mark, code in _BYTE_ORDER_MARKS.items() if raw.startswith(mark))
    code = next(marked, None) or _unmarked(raw)
    try:
        text = raw.decode(code)
    except UnicodeDecodeError as error:
        raise bad_file(path, f"It is not {code} text: {error}.") from None
    if "\0" in text:
        raise bad_file(path, "It is not text.", "Give a CSV file, plain or with gzip.")
    return text


def _unmarked(raw: bytes) -> str:
    if raw[1:2] == b"\0":
        return "utf-16-le"
    if raw[:1] == b"\0":
        return "utf-16-be"
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"  # what spreadsheets on Windows write
    return "utf-8"


def _lines(
    file: str, text: str, delimiter: str, *, strict: bool = True
) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and cells of every line that has content, the header first."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                yield reader.line_num, cells
    except csv.Error as error:
        raise bad_file(file, f"Line {reader.line_num}: {error}.") from None


def _header(path: Path, text: str, wanted: Mapping[str, tuple[str, ...]]) -> tuple[list[str], str]:
    """Return the first line's cells under the delimiter that shows most of the wanted names."""
    names = {name for known in wanted.values() for name in known}
    best: tuple[int, list[str], str] = (-1, [], "")
    for delimiter in DELIMITERS:
        # Quotes look broken under a wrong delimiter, so this look is a lenient one.
        _, cells = next(_lines(str(path), text, delimiter, strict=False), (0, []))
        found = len(names & {plain(cell) for cell in cells})
        if found > best[0]:
            best = found, cells, delimiter
    if not best[1]:
        raise BadData("NO_ROWS", file=str(path))
    return best[1], best[2]


def _find(path: Path, header: list[str], wanted: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    cells = [plain(cell) for cell in header]
    places = {}
    for column, names in wanted.items():
        name = next((name for name in names if name in cells), None)
        if name is None:
            continue
        if cells.count(name) > 1:
            raise bad_file(path, f"Two of its columns are called {column}.", "Rename one of them.")
        places[column] = cells.index(name)
    return places
