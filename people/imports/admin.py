"""The pages of the desk. What is on its way is seen by its uploader alone; what became of it, by whoever may import its kind."""

import logging
import re
from functools import wraps
from itertools import groupby

import tablib
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import ContentFile
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from people import changes
from people.admin_pages import ReadOnlyAdmin
from people.imports import gathering, kinds, work
from people.imports.forms import MappingForm, TicksForm, UploadForm
from people.imports.models import Import, ImportRow
from people.invite_admin import InvitePage
from people.sheets import stamps
from people.sheets.formats import CSV
from people.sheets.guessing import guess
from people.sheets.resource import SheetResource
from people.sheets.returning import CHOICES

logger = logging.getLogger(__name__)

State, Outcome = Import.State, ImportRow.Outcome
PER_PAGE = 50
RECENT = 20
# A cell that a choice is about, or all of them.
CELL = re.compile(r"\*|[0-9]{1,18}\.[a-z_]{1,40}")
# What is shown of a long cell.
LONGEST = 200


def of_import(view):
    """A page of one import: whose it is, or 404."""

    @wraps(view)
    def asked(self, request, key):
        found = Import.objects.select_related("by", "change_set").filter(pk=key).first()
        kind = kinds.get(found.kind) if found else None
        if kind is None or not kind.open_to(request.user):
            raise Http404
        if found.by_id != request.user.pk and found.state != State.DONE:
            raise Http404
        return view(self, request, found, kind)

    return asked


@admin.register(Import)
class ImportAdmin(ReadOnlyAdmin):
    def has_module_permission(self, request):
        return bool(kinds.open_to(request.user))

    def has_view_permission(self, request, obj=None):
        return self.has_module_permission(request)

    def get_urls(self):
        pages = [
            ("", self.upload, "upload"),
            ("invite/", self.invite, "invite"),
            ("<uuid:key>/columns/", self.columns, "columns"),
            ("<uuid:key>/", self.sheet, "sheet"),
            ("<uuid:key>/look/", self.look, "look"),
            ("<uuid:key>/apply/", self.apply, "apply"),
            ("<uuid:key>/drop/", self.drop, "drop"),
            ("<uuid:key>/undo/", self.undo, "undo"),
            ("<uuid:key>/refused/", self.refused, "refused"),
        ]
        site = self.admin_site
        return [path(at, site.admin_view(view), name=f"people_import_{name}") for at, view, name in pages] + [
            # What the admin itself links to.
            path("all/", site.admin_view(self.upload), name="people_import_changelist")
        ]

    def invite(self, request):
        return InvitePage(self.admin_site, request).answer()

    def _page(self, request, name: str, title: str, **context) -> HttpResponse:
        request.current_app = self.admin_site.name
        shared = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "media": self.media}
        return TemplateResponse(request, f"admin/imports/{name}.html", shared | context)

    # ---- a file -------------------------------------------------------------------------------------------------------

    def upload(self, request):
        open_kinds = kinds.open_to(request.user)
        if not open_kinds:
            raise PermissionDenied
        form = UploadForm(
            request.POST if request.method == "POST" else None,
            request.FILES or None,
            by=request.user,
            initial={"kind": request.GET.get("kind", "")},
        )
        if request.method == "POST" and form.is_valid():
            made = self._keep(request, form)
            return redirect("admin:people_import_columns", made.pk)
        recent = Import.objects.filter(kind__in=[kind.key for kind in open_kinds]).select_related("by")
        mine = recent.of(request.user) | recent.filter(state=State.DONE)
        left = "left" in request.GET
        if left:
            mine = recent.left_over(request.user, [kind.key for kind in open_kinds], timezone.now())
        return self._page(
            request,
            "upload",
            _("Import a sheet"),
            form=form,
            kinds=[kind for kind in open_kinds if kind.warning],
            left=left,
            recent=[(one, kinds.get(one.kind).label) for one in mine.order_by("-made_at")[:RECENT]],
        )

    def _keep(self, request, form: UploadForm) -> Import:
        kind, begun = kinds.get(form.cleaned_data["kind"]), form.beginning
        headers = begun.headers
        made = Import(
            kind=kind.key,
            by=request.user,
            name=form.cleaned_data["file"].name[:100],
            read_as=begun.sheet.read_as,
            warning=begun.sheet.warning[:300],
            header_row=begun.header_row,
            headers=headers,
            mapping=gathering.remembered(kind.key, headers) or guess(kind.resource(), headers, begun.samples),
            total=begun.count,
        )
        made.file.save("sheet", ContentFile(form.data_of_file), save=False)
        made.save()
        logger.info("import %s: user %s uploaded %s", made.pk, request.user.pk, kind.key)
        return made

    # ---- its columns --------------------------------------------------------------------------------------------------

    @of_import
    def columns(self, request, found: Import, kind):
        if found.state not in (State.UPLOADED, State.LOOKED) or not found.file:
            return redirect("admin:people_import_sheet", found.pk)
        resource = kind.resource()
        form = MappingForm(request.POST if request.method == "POST" else None, work=found, resource=resource)
        if request.method == "POST" and form.is_valid():
            if form.cleaned_data.get("headless"):
                found.header_row -= 1
                found.headers = [_("Column %(number)s") % {"number": number} for number, _header in enumerate(found.headers, 1)]
            found.mapping, found.headers_key = form.mapping, gathering.key_of(found.headers)
            work.look(found)
            return redirect("admin:people_import_sheet", found.pk)
        with found.file.open("rb") as file:
            samples = gathering.begin(file.read(), resource, 0).samples
        shown = [
            (form[f"column-{place}"], [sample[place][:60] for sample in samples if place < len(sample) and sample[place]])
            for place in range(len(found.headers))
        ]
        guessed = sum(map(bool, found.mapping))
        return self._page(
            request,
            "columns",
            _("Which column is what?"),
            found=found,
            kind=kind,
            form=form,
            columns=shown,
            headless=form["headless"] if "headless" in form.fields else None,
            guessed=guessed,
            remembered=gathering.remembered(kind.key, found.headers) is not None,
        )

    # ---- what it would do, is doing, did ------------------------------------------------------------------------------

    @of_import
    def sheet(self, request, found: Import, kind):
        if found.at_work:
            percent = min(99, 100 * found.done // max(found.total, 1))
            return self._page(request, "working", _("Working"), found=found, kind=kind, percent=max(percent, 1))
        if request.headers.get("HX-Request"):
            # The progress bar asked: what it waited for is there.
            return HttpResponse(headers={"HX-Refresh": "true"})
        if found.state == State.UPLOADED:
            return redirect("admin:people_import_columns", found.pk)
        if found.state == State.LOOKED:
            return self._looked(request, found, kind)
        undoable = bool(found.change_set) and changes.refusal(found.change_set, request.user) is None
        return self._page(
            request,
            "result",
            _("Imported") if found.state == State.DONE else _("Not imported"),
            found=found,
            kind=kind,
            undoable=undoable,
            undone=found.change_set.undone_at if found.change_set else None,
            refused=found.rows.filter(outcome=Outcome.REFUSED).count(),
        )

    def _looked(self, request, found: Import, kind):
        tabs = [(name, str(label), found.count(name)) for name, label in Outcome.choices]
        shown = request.GET.get("show") or next((name for name, _label, count in tabs if count), Outcome.NEW)
        if shown not in [*Outcome.values, "emptied"]:
            raise Http404
        rows = found.rows.exclude(emptied=[]) if shown == "emptied" else found.rows.filter(outcome=shown)
        page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
        resource = kind.resource()
        return self._page(
            request,
            "sheet",
            _("What this sheet would do"),
            found=found,
            kind=kind,
            tabs=tabs,
            shown=shown,
            page=page,
            rows=[told(row, resource) for row in page],
            ticks=TicksForm(work=found),
            unknown=len(found.counts.get("unknown", {})),
            clear=bool(found.ticked.get("clear")),
            choices=len(found.ticked.get("choices", {})),
            clocks=resource.by_whose_clocks(),
            dates=found.ticked.get("dates", ""),
            unused=[header for header, column in zip(found.headers, found.mapping, strict=True) if header and not column],
            to_write=found.count("new") + found.count("changed"),
        )

    @of_import
    @method_decorator(require_POST)
    def look(self, request, found: Import, kind):
        form = TicksForm(request.POST, work=found)
        if found.state == State.LOOKED and form.is_valid():
            choices = {} if "forget" in request.POST else found.ticked.get("choices", {})
            found.ticked = form.cleaned_data | {"choices": choices | chosen(request.POST)}
            work.look(found)
        return redirect("admin:people_import_sheet", found.pk)

    @of_import
    @method_decorator(require_POST)
    def apply(self, request, found: Import, kind):
        try:
            work.apply(found, good="good" in request.POST)
        except ValidationError as refusal:
            messages.error(request, " ".join(refusal.messages))
        return redirect("admin:people_import_sheet", found.pk)

    @of_import
    @method_decorator(require_POST)
    def drop(self, request, found: Import, kind):
        work.drop(found)
        messages.success(request, _("The sheet is dropped, and its file is deleted. Nothing was imported."))
        return redirect("admin:people_import_upload")

    @of_import
    @method_decorator(require_POST)
    def undo(self, request, found: Import, kind):
        if found.change_set is None or found.state != State.DONE:
            raise Http404
        try:
            work.undo(found, by=request.user)
        except ValidationError as refusal:
            messages.error(request, " ".join(refusal.messages))
        else:
            self._tell_undone(request, found)
        return redirect("admin:people_import_sheet", found.pk)

    def _tell_undone(self, request, found: Import) -> None:
        found.refresh_from_db()
        if found.at_work:
            return
        left = found.change_set.changes.filter(undone_at=None).count()
        if left:
            sentence = _("Undone, but for %(left)s rows that have changed since or are in use: see below.") % {"left": left}
            messages.warning(request, sentence)
        else:
            messages.success(request, _("The import is undone."))

    # ---- what was refused ---------------------------------------------------------------------------------------------

    @of_import
    @method_decorator(require_safe)
    def refused(self, request, found: Import, kind):
        """The refused rows as a file to correct, with why."""
        rows = found.rows.filter(outcome=Outcome.REFUSED)
        if not rows:
            raise Http404
        resource, width = kind.resource(), len(found.headers)
        dataset = tablib.Dataset(headers=[*found.headers, _("Why it was refused")])
        # A row of the file may have become several.
        for where, of_one in groupby(rows.iterator(), _where):
            refused = list(of_one)
            why = "; ".join(dict.fromkeys(sentence for row in refused for _column, sentence in _said(row, resource)))
            cells = (refused[0].cells + [""] * width)[:width]
            dataset.append([*cells, _("Row %(row)s: %(why)s") % {"row": where, "why": why}])
        logger.info("import %s: user %s took %s refused rows", found.pk, request.user.pk, len(dataset))
        headers = {"Content-Disposition": f'attachment; filename="{kind.key}-refused.csv"'}
        return HttpResponse(CSV().export_data(dataset), content_type="text/csv; charset=utf-8", headers=headers)


def chosen(posted) -> dict[str, str]:
    """What was chosen about cells that the file and somebody here changed: key of the cell -> which one."""
    said = {name.removeprefix("choice-"): value for name, value in posted.items() if name.startswith("choice-")}
    return {cell: value for cell, value in said.items() if value in CHOICES and CELL.fullmatch(cell)}


def told(row: ImportRow, resource: type[SheetResource]) -> dict:
    """A row as the preview shows it."""
    return {
        "where": _where(row),
        "outcome": row.outcome,
        "label": row.get_outcome_display(),
        "problems": [
            (*said, "".join(rest)) for said, (_at, _what, *rest) in zip(_said(row, resource), row.problems, strict=True)
        ],
        "changes": [
            (resource.label(column), *(resource.shown(column, text)[:LONGEST] for text in (old, new)))
            for column, old, new in row.changes
        ],
        "emptied": [(resource.label(column), resource.shown(column, old)[:LONGEST]) for column, old in row.emptied],
        "cells": " · ".join(cell for cell in row.cells if cell and stamps.row_of(cell) is None)[:LONGEST],
    }


def _said(row: ImportRow, resource: type[SheetResource]) -> list[tuple[str, str]]:
    return [(resource.label(column) if column else "", sentence) for column, sentence, *_choice in row.problems]


def _where(row: ImportRow) -> str:
    return ", ".join(map(str, row.numbers))
