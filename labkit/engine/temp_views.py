"""The session's temporary views: a memory sink makes one of its name, and so does SQL."""

from __future__ import annotations

from typing import Any


def temp_views(session: Any) -> dict[str, Any]:
    """Return the temporary views of a session by name, as Spark keeps them."""
    catalog = _catalog(session)
    found = catalog.listLocalTempViews("*")
    names = [found.apply(i).table() for i in range(found.size())]
    views = {name: catalog.getRawTempView(name) for name in names}
    return {name: view.get() for name, view in views.items() if view.isDefined()}


def restore_temp_views(session: Any, before: dict[str, Any]) -> None:
    """Drop the views that were made since, and put back those that were replaced or dropped.

    Parameters
    ----------
    session
        The Spark session.
    before
        What :func:`temp_views` returned.
    """
    now = temp_views(session)
    for name in now.keys() - before.keys():
        _catalog(session).dropTempView(name)
    for name, view in before.items():
        if name not in now or not view.equals(now[name]):
            _catalog(session).createTempView(name, view, True)


def _catalog(session: Any) -> Any:
    return session._jsparkSession.sessionState().catalog()
