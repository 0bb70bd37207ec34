"""What is done with a sheet, in parts: each part is one short transaction, so that nobody who books waits long.

All of it or nothing holds over the parts: everything is looked at before anything is written, what is written is one set of
changes, and where a part refuses, the set is taken back. Whoever goes on (the page, the worker, a second worker after a
crash) begins where ``done`` says; a part that somebody else has done meanwhile is dropped.
"""

import logging
import time
from zoneinfo import ZoneInfo

import tablib
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from people import changes
from people.imports import gathering, kinds
from people.imports.models import Import, ImportRow
from people.models import ChangeSet
from people.sheets.merging import Entry
from people.sheets.reading import UnreadableError
from people.sheets.resource import SheetResource, fill
from people.sheets.returning import ConflictError

logger = logging.getLogger(__name__)

State, Outcome = Import.State, ImportRow.Outcome
# How long one task of the worker goes on before it makes room for what else is due.
TURN = 20
# Rows put back together.
BACK = 100
# Between two parts, for those who wait to write: SQLite has no queue.
PAUSE = 0.05


class ElsewhereError(Exception):
    """Somebody else has done this part."""


# ---- begun, and gone on with ------------------------------------------------------------------------------------------


def look(work: Import) -> None:
    """Look through every row anew, with what is ticked now."""
    work.rows.all().delete()
    _begin(work, State.LOOKING, counts={})


def apply(work: Import, *, good: bool) -> None:
    """Write what was looked at. ``good``: leave out what is refused; else nothing is written where anything is."""
    with transaction.atomic():
        work = Import.objects.select_for_update(no_key=True).get(pk=work.pk)
        if work.state != State.LOOKED:
            raise ValidationError(_("This sheet was applied or dropped meanwhile."), code="stale")
        if work.count("refused") and not good:
            raise ValidationError(
                _("%(count)s rows are refused, so nothing is imported. Correct them, or leave them out.")
                % {"count": work.count("refused")},
                code="refused",
            )
        if not work.count("new") + work.count("changed"):
            raise ValidationError(_("Nothing in this sheet differs from what is here."), code="nothing")
        work.ticked["good"] = good
        work.save(update_fields=["ticked"])
    _begin(work, State.APPLYING)


def undo(work: Import, *, by) -> None:
    """Put back what this import did, in parts. Raises ValidationError."""
    if no := changes.refusal(work.change_set, by):
        raise no
    logger.info("import %s: undone by user %s", work.pk, by.pk)
    total = work.change_set.changes.filter(undone_at=None).count()
    if total <= changes.MOST // 5:
        changes.undo(work.change_set, by=by)
        return
    _begin(work, State.TAKING_BACK, total=total)


def drop(work: Import) -> None:
    Import.objects.filter(pk=work.pk).exclude(state__in=[State.APPLYING, State.TAKING_BACK, State.DONE]).update(
        state=State.GONE
    )
    work.refresh_from_db()
    if work.state == State.GONE:
        work.forget()


def _begin(work: Import, state: str, **fields) -> None:
    # The worker reads times, and speaks, as this page does.
    work.ticked |= {"zone": timezone.get_current_timezone_name(), "language": translation.get_language() or ""}
    for name, value in (fields | {"state": state, "done": 0, "problem": ""}).items():
        setattr(work, name, value)
    work.save()
    if work.total <= kinds.get(work.kind).at_once:
        go_on(work.pk, turn=float("inf"))
        work.refresh_from_db()
    else:
        async_task("people.tasks.go_on_with_import", str(work.pk))


def go_on(key, *, turn: float = TURN) -> bool:
    """Do the next parts, for so many seconds. Whether there is more to do."""
    said = Import.objects.get(pk=key).ticked
    zone, language = said.get("zone"), said.get("language")
    with timezone.override(ZoneInfo(zone) if zone else None), translation.override(language or settings.LANGUAGE_CODE):
        return _go_on(key, turn)


def _go_on(key, turn: float) -> bool:
    until = time.monotonic() + turn
    steps = {State.LOOKING: _look, State.APPLYING: _apply, State.TAKING_BACK: _take_back}
    try:
        while (work := Import.objects.select_related("by", "change_set").get(pk=key)).at_work:
            for _part in steps[work.state](work):
                if time.monotonic() > until:
                    return True
                if connection.vendor == "sqlite" and turn == TURN:
                    time.sleep(PAUSE)
    except ElsewhereError:
        return False
    except UnreadableError as error:
        _fail(key, str(error))
    return False


# ---- looked through ---------------------------------------------------------------------------------------------------


def _resource(work: Import) -> SheetResource:
    make = work.ticked.get("make", [])
    choices = work.ticked.get("choices", {})
    return kinds.get(work.kind).resource()(clear=bool(work.ticked.get("clear")), make=make, choices=choices)


def _look(work: Import):
    kind, resource = kinds.get(work.kind), _resource(work)
    columns, entries, order, unsure = gathering.gather(work, type(resource))
    resource.remember(columns, entries[: work.done])
    if len(entries) > kind.most:
        raise UnreadableError(
            _("A sheet of this kind may have %(most)s rows, and this one has %(rows)s. Split it.")
            % {"most": f"{kind.most:,}", "rows": f"{len(entries):,}"}
        )
    work.counts |= {"order": order, "two_days": unsure}
    while work.done < len(entries):
        part = entries[work.done : work.done + kind.together]
        rows = outcomes(resource, columns, part, work)
        _count(work, rows, resource)
        with transaction.atomic():
            _done(work, State.LOOKING, len(part), total=len(entries), counts=work.counts)
            kept = [row for row in rows if row.outcome != Outcome.UNCHANGED or row.emptied]
            ImportRow.objects.bulk_create(kept, batch_size=500)
        yield
    if work.count("refused"):
        _keep_cells(work, type(resource))
    Import.objects.filter(pk=work.pk, state=State.LOOKING).update(state=State.LOOKED)


def outcomes(resource: SheetResource, columns: list[str], part: list[Entry], work: Import) -> list[ImportRow]:
    """What these rows would do; nothing is written."""
    dataset = fill(tablib.Dataset(), columns, part)
    result = resource.import_data(dataset, dry_run=True, user=work.by, retain_instance_in_row_result=True)
    if result.base_errors:
        raise UnreadableError(" ".join(_sentences(result.base_errors[0].error)))
    rows = []
    for place, (entry, found) in enumerate(zip(part, result.rows, strict=True)):
        row = ImportRow(sheet=work, position=work.done + place, numbers=entry.numbers)
        if found.errors:
            _log(found.errors[0].error)
            row.outcome, row.problems = Outcome.REFUSED, [["", _("This row cannot be read.")]]
        elif found.validation_error:
            row.outcome, row.problems = Outcome.REFUSED, problems(found.validation_error)
        else:
            row.outcome = {"new": Outcome.NEW, "update": Outcome.CHANGED}.get(found.import_type, Outcome.UNCHANGED)
            row.changes, row.emptied = found.instance.sheet_changes, found.instance.sheet_emptied
            # Told as a number only.
            row.newer = bool(found.instance.sheet_newer)
        rows.append(row)
    return rows


def problems(refusal: ValidationError) -> list[list[str]]:
    """[[column or "", sentence], ...]; where somebody has to choose, with the key of the choice as a third."""
    if isinstance(refusal, ConflictError):
        said = refusal.message_dict
        return [[column, said[column][0], f"{key}.{column}"] for column, key, _file, _here in refusal.conflicts]
    if not hasattr(refusal, "error_dict"):
        return [["", sentence] for sentence in refusal.messages]
    named = refusal.message_dict.items()
    return [["" if column == "__all__" else column, said] for column, sentences in named for said in sentences]


def _sentences(error: Exception) -> list[str]:
    return error.messages if isinstance(error, ValidationError) else [_("The sheet cannot be read.")]


def _count(work: Import, rows: list[ImportRow], resource: SheetResource) -> None:
    for row in rows:
        work.counts[row.outcome] = work.counts.get(row.outcome, 0) + 1
        found = {
            "emptied": row.emptied,
            "newer": getattr(row, "newer", False),
            "conflicts": any(len(problem) > 2 for problem in row.problems),
        }
        for name, is_so in found.items():
            work.counts[name] = work.counts.get(name, 0) + bool(is_so)
    unknown = work.counts.setdefault("unknown", {})
    for name, times in resource.unknown.items():
        unknown[name] = unknown.get(name, 0) + times
    resource.unknown.clear()


def _keep_cells(work: Import, resource: type[SheetResource]) -> None:
    """Beside the refused rows, what the file says there: for the file to correct."""
    refused = list(work.rows.filter(outcome=Outcome.REFUSED))
    cells = gathering.raw(work, resource, {row.numbers[0] for row in refused})
    for row in refused:
        row.cells = cells.get(row.numbers[0], [])
    ImportRow.objects.bulk_update(refused, ["cells"], batch_size=500)


def _done(work: Import, state: str, rows: int, **fields) -> None:
    """So many rows further: if nobody else has come so far. Inside the transaction of the part."""
    there = Import.objects.filter(pk=work.pk, state=state, done=work.done)
    if not there.update(done=work.done + rows, **fields):
        raise ElsewhereError
    work.done += rows


# ---- written ----------------------------------------------------------------------------------------------------------


def _apply(work: Import):
    kind, resource = kinds.get(work.kind), _resource(work)
    columns, entries, *_dates = gathering.gather(work, type(resource))
    resource.remember(columns, entries[: work.done])
    wanted = work.rows.filter(outcome__in=[Outcome.NEW, Outcome.CHANGED])
    while work.done < len(entries):
        until = min(work.done + kind.together, len(entries))
        rows = list(wanted.filter(position__gte=work.done, position__lt=until))
        try:
            with transaction.atomic():
                if work.change_set is None:
                    work.change_set = changes.begin(ChangeSet.Kind.IMPORT, _sentence(work), by=work.by)
                _done(work, State.APPLYING, until - work.done, change_set=work.change_set)
                if rows:
                    _write(resource, columns, entries, rows, work)
        except ElsewhereError:
            raise
        except (ValidationError, DatabaseError) as refusal:
            _stop(work, refusal)
            return
        yield
    _finish(work)


def _write(resource: SheetResource, columns: list[str], entries: list[Entry], rows: list[ImportRow], work: Import) -> None:
    """Write these rows: just what was shown of them, or nothing."""
    dataset = fill(tablib.Dataset(), columns, [entries[row.position] for row in rows])
    resource.within = work.change_set
    result = resource.import_data(dataset, user=work.by, retain_instance_in_row_result=True)
    for error in result.base_errors:
        raise error.error
    for row, found in zip(rows, result.rows, strict=True):
        said = _("Row %(row)s changed since it was looked at: %(why)s")
        if found.errors:
            raise found.errors[0].error
        if found.validation_error:
            why = " ".join(found.validation_error.messages)
            raise ValidationError(said % {"row": row.numbers[0], "why": why}, code="stale")
        if [list(change) for change in found.instance.sheet_changes] != row.changes:
            why = _("what is here is not what it was.")
            raise ValidationError(said % {"row": row.numbers[0], "why": why}, code="stale")
    work.change_set.record_many(resource.touched)
    resource.touched.clear()


def _sentence(work: Import) -> str:
    counted = {"kind": str(kinds.get(work.kind).label).lower(), "new": work.count("new"), "changed": work.count("changed")}
    return _("Imported %(kind)s: %(new)s new, %(changed)s changed") % counted


def _stop(work: Import, refusal: Exception) -> None:
    """A part refused: what the parts before it wrote is taken back."""
    why = refusal.messages if isinstance(refusal, ValidationError) else [_("The database refused a row.")]
    if not isinstance(refusal, ValidationError):
        _log(refusal)
    again = _("Nothing is imported. Look at it again, and apply it then.")
    problem = f"{' '.join(why)} {again}"[:500]
    work.refresh_from_db()
    state = State.TAKING_BACK if work.change_set_id else State.LOOKED
    total = work.change_set.changes.count() if work.change_set_id else work.total
    Import.objects.filter(pk=work.pk).update(state=state, done=0, total=total, problem=problem)


def _finish(work: Import) -> None:
    """Applied: the file and what was shown of it go, but for the rows that are still to be corrected."""
    ended = Import.objects.filter(pk=work.pk, state=State.APPLYING)
    if not ended.update(state=State.DONE, finished_at=timezone.now()):
        raise ElsewhereError
    work.refresh_from_db()
    logger.info("import %s: user %s imported %s: %s", work.pk, work.by_id, work.kind, _told(work))
    refused = list(work.rows.filter(outcome=Outcome.REFUSED))
    headers = work.headers
    work.forget()
    if refused:
        work.headers = headers
        work.save(update_fields=["headers"])
        ImportRow.objects.bulk_create(refused, batch_size=500)


def _told(work: Import) -> str:
    return ", ".join(f"{work.count(outcome)} {outcome}" for outcome in Outcome.values)


# ---- taken back -------------------------------------------------------------------------------------------------------


def _take_back(work: Import):
    """After a part refused (then ``finished_at`` is empty), or because somebody undoes all of it."""
    while True:
        with transaction.atomic():
            outcome = changes.take_back(work.change_set, by=work.by, most=BACK)
            parts = len(outcome.undone) + len(outcome.refused)
            if not parts:
                break
            _done(work, State.TAKING_BACK, parts)
        yield
    left = work.change_set.changes.filter(undone_at=None).count()
    state = State.DONE if work.finished_at else State.LOOKED
    problem = work.problem
    if left:
        problem += " " + _("%(left)s rows could not be put back; their page says why.") % {"left": left}
    ended = {"state": state, "problem": problem.strip()[:500], "done": 0}
    if not work.finished_at and not left:
        # It never was.
        work.change_set.delete()
    Import.objects.filter(pk=work.pk, state=State.TAKING_BACK).update(**ended)


# ---- at its end -------------------------------------------------------------------------------------------------------


def _fail(key, problem: str) -> None:
    Import.objects.filter(pk=key).update(state=State.FAILED, problem=problem[:500])
    Import.objects.get(pk=key).forget()


def give_up(key) -> None:
    """The worker failed at it in a way that nobody foresaw. What is written stays a set of changes, to be undone."""
    if Import.objects.filter(pk=key, state__in=Import.AT_WORK).exists():
        _fail(key, _("Something went wrong, and it was stopped. The operator finds why in the log."))


def forget_old(now) -> int:
    """Drop what nobody applied within a day, and forget what is left of the others."""
    old = Import.objects.filter(made_at__lt=now - timezone.timedelta(days=1)).exclude(state__in=Import.AT_WORK)
    gone = 0
    for work in old.filter(~Q(file="") | Exists(ImportRow.objects.filter(sheet=OuterRef("pk")))):
        gone += 1
        work.forget()
        if work.state in (State.UPLOADED, State.LOOKED):
            Import.objects.filter(pk=work.pk).update(state=State.GONE)
    return gone


def forget_waiting() -> None:
    """Somebody is erased, and may be in any of the sheets that wait: they are uploaded again."""
    for work in Import.objects.filter(~Q(file="") | Exists(ImportRow.objects.filter(sheet=OuterRef("pk")))):
        if work.state != State.DONE:
            Import.objects.filter(pk=work.pk).update(state=State.GONE)
        work.forget()


def _log(error: Exception) -> None:
    """The kind only: what an error says may name people."""
    logger.warning("import: %s", type(error).__name__)
