"""Small changes to the solution lines of an answer: each one makes a mutant.

Nothing here knows what is right. Every kind of change that a slip of the pen could be is made once
at each place where it can be: another mode, another column, a filter less, one more or one less.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import chain, pairwise

from .swaps import (
    AGGREGATES,
    BUILTINS,
    COLUMN_CALLS,
    DATE,
    DDL,
    DURATION,
    FILTERS,
    KEPT_CALLS,
    OPERATORS,
    TEXTS,
    dates,
    durations,
    schemas,
)

Change = tuple[str, int, int, str]  # kind, the bytes from and to, what stands there instead


class Code:
    """A cell with the places of its parts, in bytes as ``ast`` counts them."""

    def __init__(self, source: str) -> None:
        self._bytes = source.encode()
        self._starts = [0]
        for line in self._bytes.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self.tree = ast.parse(source)

    def span(self, node: ast.AST) -> tuple[int, int]:
        first = self._starts[node.lineno - 1] + node.col_offset
        return first, self._starts[node.end_lineno - 1] + node.end_col_offset

    def between(self, first: int, last: int) -> str:
        return self._bytes[first:last].decode()

    def text(self, node: ast.AST) -> str:
        return self.between(*self.span(node))

    def changed(self, first: int, last: int, new: str) -> str:
        return (self._bytes[:first] + new.encode() + self._bytes[last:]).decode()


def changes(code: Code, lines: set[int], columns: set[str]) -> Iterator[Change]:
    """Return every change that can be made on some lines of a cell, in the order of the code.

    Parameters
    ----------
    code
        The cell.
    lines
        The numbers (from 1) of the lines that may change.
    columns
        More names of columns that a learner could mix up with those in the cell.
    """
    # Parts of an f-string have no places of their own.
    hidden = {
        id(part)
        for node in ast.walk(code.tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
    }
    bare = {id(node.value) for node in ast.walk(code.tree) if isinstance(node, ast.Expr)}
    inside = [
        node
        for node in ast.walk(code.tree)
        if hasattr(node, "lineno")
        and id(node) not in hidden
        and set(range(node.lineno, node.end_lineno + 1)) <= lines
    ]
    modules = {
        (name.asname or name.name).split(".")[0]
        for node in ast.walk(code.tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    } | {"F", "T", "lab", "pd", "time"}
    places = {id(node) for node in _column_places(inside)}
    parameters = _parameters(code.tree)
    named = {node.value for node in inside if id(node) in places}
    for node in sorted(inside, key=code.span):
        first, last = code.span(node)
        for kind, new in chain(
            _statement(node),
            [] if id(node) in bare else _constant(node, id(node) in places, named | columns),
            _parts(code, node),
            _condition(code, node),
            (("name", other) for other in parameters.get(id(node), ())),
        ):
            yield kind, first, last, new
        yield from _operator(code, node)
        if isinstance(node, ast.Call):
            yield from _call(code, node, modules, is_bare=id(node) in bare)


def _column_places(nodes: list[ast.AST]) -> Iterator[ast.Constant]:
    """Find the texts that name columns, by where they stand."""
    for node in nodes:
        places: list[ast.AST] = []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of_functions = isinstance(node.func.value, ast.Name) and node.func.value.id == "F"
            if node.func.attr in COLUMN_CALLS or (of_functions and node.func.attr != "lit"):
                given = node.args[:1] if of_functions else node.args
                places = [part for arg in given for part in getattr(arg, "elts", [arg])]
        elif isinstance(node, ast.Subscript):
            places = [node.slice]
        for place in places:
            value = place.value if isinstance(place, ast.Constant) else None
            if isinstance(value, str) and value.isidentifier():
                yield place


def _parameters(tree: ast.AST) -> dict[int, list[str]]:
    """Return for each use of a function's parameter the other parameters, by the id of its node."""
    found: dict[int, list[str]] = {}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            names = [one.arg for one in function.args.args]
            for node in ast.walk(function):
                is_use = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
                if is_use and node.id in names:
                    found[id(node)] = [name for name in names if name != node.id]
    return found


def _statement(node: ast.AST) -> Iterator[tuple[str, str]]:
    simple = ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr | ast.Return | ast.Delete
    if isinstance(node, ast.Return) and node.value is not None:
        yield "return None", "return None"
    if isinstance(node, simple | ast.If | ast.For | ast.While):
        yield "statement dropped", "pass"


def _constant(node: ast.AST, is_column: bool, columns: set[str]) -> Iterator[tuple[str, str]]:
    value = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
    if isinstance(value, bool):
        yield "boolean", str(not value)
    elif isinstance(value, int | float):
        yield from (("number", repr(other)) for other in (value + 1, value - 1, value * 10))
    elif isinstance(value, str):
        yield from _text(value, is_column, columns)


def _text(value: str, is_column: bool, columns: set[str]) -> Iterator[tuple[str, str]]:
    if value in TEXTS:
        kind, others = TEXTS[value]
    elif DURATION.fullmatch(value):
        kind, others = "duration", durations(value)
    elif is_column:
        kind, others = "column", sorted(columns - {value})[:5] or [f"{value}_x"]
    elif DDL.fullmatch(value):
        kind, others = "schema", schemas(value)
    elif DATE.fullmatch(value):
        kind, others = "date format", dates(value)
    else:
        kind, others = "text", [f"{value}x"]
    yield from ((kind, f'"{other}"' if '"' not in other else repr(other)) for other in others)


def _parts(code: Code, node: ast.AST) -> Iterator[tuple[str, str]]:
    """Drop an entry of a list or a dict; give a dict's values to other keys."""
    if isinstance(node, ast.Dict) and None not in node.keys:
        keys, values = [code.text(k) for k in node.keys], [code.text(v) for v in node.values]
        for n in range(len(keys) - 1):
            other = [*values[:n], values[n + 1], values[n], *values[n + 2 :]]
            yield "dict values", _dict(keys, other)
        for n in range(len(keys)):
            yield "entry dropped", _dict(keys[:n] + keys[n + 1 :], values[:n] + values[n + 1 :])
    elif isinstance(node, ast.List) and len(node.elts) > 1:
        for n in range(len(node.elts)):
            rest = [code.text(one) for at, one in enumerate(node.elts) if at != n]
            yield "entry dropped", f"[{', '.join(rest)}]"


def _dict(keys: list[str], values: list[str]) -> str:
    return "{" + ", ".join(map(": ".join, zip(keys, values, strict=True))) + "}"


def _condition(code: Code, node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert | ast.Not):
        yield "logic", f"({code.text(node.operand)})"


def _operator(code: Code, node: ast.AST) -> Iterator[Change]:
    """Exchange one operator; only its sign is touched, so brackets stay as they are."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield from _sign(code, "comparison", node.left, node.ops[0], node.comparators[0])
    elif isinstance(node, ast.BinOp):
        yield from _sign(code, "operator", node.left, node.op, node.right)
    elif isinstance(node, ast.BoolOp):
        for left, right in pairwise(node.values):
            yield from _sign(code, "operator", left, node.op, right)
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        yield "logic", *code.span(node.test), f"not ({code.text(node.test)})"
    elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        for test in (test for part in node.generators for test in part.ifs):
            yield "filter", *code.span(test), "True"
            yield "filter", *code.span(test), f"not ({code.text(test)})"


def _sign(code: Code, kind: str, left: ast.AST, op: ast.AST, right: ast.AST) -> Iterator[Change]:
    first, last = code.span(left)[1], code.span(right)[0]
    gap = code.between(first, last)
    sign, others = OPERATORS.get(type(op), ("", ()))
    for other in others:
        yield kind, first, last, re.sub(re.escape(sign), other, gap, count=1)


def _call(code: Code, node: ast.Call, modules: set[str], *, is_bare: bool) -> Iterator[Change]:
    (first, last), (_, named) = code.span(node), code.span(node.func)
    head, parts = code.between(first, named), [*node.args, *node.keywords]
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    of_python = isinstance(node.func, ast.Name)
    for other in (BUILTINS if of_python else AGGREGATES).get(name, ()):
        yield "aggregate", named - len(name.encode()), named, other
    for n, (one, two) in enumerate(pairwise(code.text(arg) for arg in node.args)):
        rest = [code.text(part) for part in parts]
        rest[n : n + 2] = two, one
        yield "arguments swapped", first, last, f"{head}({', '.join(rest)})"
    for n, part in enumerate(parts):
        is_keyword = isinstance(part, ast.keyword)
        if is_keyword or len(node.args) > 1 or name == "groupBy":
            rest = [code.text(one) for at, one in enumerate(parts) if at != n]
            kind = "keyword dropped" if is_keyword else "argument dropped"
            yield kind, first, last, f"{head}({', '.join(rest)})"
    if not isinstance(node.func, ast.Attribute):
        return
    owner = node.func.value
    is_module = isinstance(owner, ast.Name) and (owner.id in modules or is_bare)
    if not (is_module or name in KEPT_CALLS or isinstance(owner, ast.Constant)):
        kind = "filter" if name in FILTERS else "call dropped"
        yield kind, first, last, head.removesuffix(name).rstrip().removesuffix(".").rstrip()
    if name in FILTERS and len(node.args) == 1:
        text, arg = code.text(node.args[0]), node.args[0]
        is_text = isinstance(arg, ast.Constant) and isinstance(arg.value, str)
        new = repr(f"not ({arg.value})") if is_text else f"~({text})"
        yield "filter", *code.span(arg), new
