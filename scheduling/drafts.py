"""What somebody has typed into a booking and not sent yet, kept with their web session: no address, no log has it.

Each is known by its form's key, so two tabs are two. The oldest make room.
"""

from uuid import UUID

KEPT_IN, AT_MOST = "drafts", 5
FIELDS = ("topic", "meeting_link")


def keep(request, data: dict) -> None:
    """``data``: what a valid `BookForm` holds."""
    key = str(data["form_key"])
    others = {other: draft for other, draft in request.session.get(KEPT_IN, {}).items() if other != key}
    newest = dict(list(others.items())[1 - AT_MOST :])
    request.session[KEPT_IN] = newest | {key: {name: data[name] for name in FIELDS}}


def kept(request, key: UUID | None) -> dict[str, str] | None:
    """What was typed, or None where nothing is kept under this key."""
    return request.session.get(KEPT_IN, {}).get(str(key))


def forget(request, key: UUID) -> None:
    """It was sent."""
    if kept(request, key) is not None:
        del request.session[KEPT_IN][str(key)]
        request.session.modified = True
