"""Have messages sent once more, because somebody on the staff says so. Only what is still true, and still wanted."""

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from people.models import User
from scheduling import delivery, notices
from scheduling.booking.locks import retry_after_deadlock
from scheduling.models import Notice
from scheduling.words import UNSENT, State

# So many at once: a few seconds of work.
MOST = 3_000
# SQLite takes only so many parameters in one question.
AT_ONCE = 500


@dataclass(frozen=True)
class Plan:
    """What sending these again would do."""

    ready: list[Notice]
    # Each with the sentence that says why not.
    left_out: list[tuple[Notice, str]]
    # Changes when anything of it does: what a page has shown is compared with what is there when its button is pressed.
    seen: str


def may_resend(user: User) -> bool:
    return user.is_active and user.is_staff and user.has_perm("scheduling.resend_notice")


def plan(keys: Iterable[int], now: datetime | None = None) -> Plan:
    return _plan(_read(keys), now or timezone.now())


@retry_after_deadlock
def resend(keys: Iterable[int], *, by: User, seen: str | None = None) -> Plan:
    """Send these again, as soon as the queue can. ``seen``: of the plan that was looked at.

    A row that was sent gets a new key: the mail system must not drop it as a copy. One that failed, or may have arrived,
    keeps its own, so that it can. What became of the first goes into the history of the notice.
    """
    if not may_resend(by):
        raise ValidationError(_("Your account may not have messages sent again."), code="not_yours")
    with transaction.atomic():
        now = timezone.now()
        # Locked: of two who ask for the same at once, the second finds it on its way.
        would = _plan(_read(keys, lock=True), now)
        if seen is not None and seen != would.seen:
            raise ValidationError(_("Something has changed since the last page."), code="stale")
        if would.ready:
            _write(would.ready, by, now)
            transaction.on_commit(notices.send_soon, robust=True)
    return would


def _chunks(rows: Iterable) -> Iterator[list]:
    rows = list(rows)
    return (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))


def _read(keys: Iterable[int], lock: bool = False) -> list[Notice]:
    rows = Notice.objects.with_people().select_related("resent_by").order_by("pk")
    if lock:
        rows = rows.select_for_update(of=("self",))
    # In one order, whoever asks: they lock each other's rows.
    return [notice for chunk in _chunks(sorted(set(keys))) for notice in rows.filter(pk__in=chunk)]


def _plan(rows: list[Notice], now: datetime) -> Plan:
    latest = _latest_versions(rows)
    ready, left_out, digest = [], [], hashlib.sha256()
    for notice in rows:
        replaced = notice.version < latest[notice.session_id, notice.recipient_id, notice.kind]
        if why := _why_not(notice, replaced, now):
            left_out.append((notice, why))
        else:
            ready.append(notice)
        digest.update(f"{notice.pk} {notice.state} {notice.resent_at} {notice.message_key} {bool(why)};".encode())
    return Plan(ready, left_out, digest.hexdigest())


def _latest_versions(rows: list[Notice]) -> dict[tuple[int, int, str], int]:
    """(session, recipient, kind) -> the version that promised it last."""
    latest = {}
    for chunk in _chunks({notice.session_id for notice in rows}):
        promised = Notice.objects.filter(session__in=chunk).order_by().values_list("session", "recipient", "kind")
        latest |= {tuple(what): version for *what, version in promised.annotate(Max("version"))}
    return latest


def _why_not(notice: Notice, replaced: bool, now: datetime) -> str:
    """Why it should not be sent again, in a sentence; "" if it may be."""
    if notice.state in UNSENT:
        if not notice.resent_at:
            return "It has not been sent yet: it is waiting for its time, or on its way."
        asked = timezone.localtime(notice.resent_at)
        return f"It is on its way already: {notice.resent_by or 'somebody'} had it sent again at {asked:%H:%M}."
    if replaced:
        return "A newer message has taken its place."
    # Whatever the tries before this one came to.
    notice.unanswered = 0
    state, why = delivery.verdict(notice, now)
    if state == State.EXPIRED:
        return "The session has begun: it would come too late."
    if state is not None:
        return why
    if notice.due_at > now:
        return "Its time has not come yet."
    return notice.detail if notice.detail in notices.NEVER_MEANT_TO_BE_SENT else ""


def _write(rows: list[Notice], by: User, now: datetime) -> None:
    history = [_entry(notice, by) for notice in rows]
    was_sent = [notice for notice in rows if notice.state == State.SENT]
    for notice in was_sent:
        notice.message_key = uuid.uuid4()
    Notice.objects.bulk_update(was_sent, ["message_key"], batch_size=AT_ONCE)
    for chunk in _chunks(notice.pk for notice in rows):
        Notice.objects.filter(pk__in=chunk).update(
            state=State.PENDING,
            # Promised anew: it counts among today's, and is late two minutes from now.
            due_at=now,
            not_before=None,
            detail="",
            answer="",
            attempts=0,
            unanswered=0,
            sent_at=None,
            resent_by=by,
            resent_at=now,
        )
    LogEntry.objects.bulk_create(history, batch_size=AT_ONCE)


def _entry(notice: Notice, by: User) -> LogEntry:
    """What the row says now, and soon will not say any more."""
    sent = f" on {notice.sent_at:%Y-%m-%d at %H:%M} UTC" if notice.sent_at else ""
    why = " ".join(filter(None, [notice.detail, notice.answer]))
    return LogEntry(
        user=by,
        content_type=ContentType.objects.get_for_model(Notice),
        object_id=str(notice.pk),
        object_repr=str(notice),
        action_flag=CHANGE,
        change_message=f"Sent again. Before: due {notice.due_at:%Y-%m-%d at %H:%M} UTC, {notice.get_state_display().lower()}{sent}."
        + (f" {why}" if why else ""),
    )
