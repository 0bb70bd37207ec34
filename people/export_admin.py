"""The admin's side of a sheet that goes out: which rows, which columns, which format; and who took it."""

import logging
from collections.abc import Sequence

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.text import capfirst, get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from import_export.admin import ImportExportMixinBase
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminRadioSelectWidget

from people.admin_pages import ReadOnlyAdmin
from people.models import SheetExport
from people.sheets import writing
from people.sheets.columns import Column
from people.sheets.sheet import Sheet
from people.sheets.stamps import HEADER

logger = logging.getLogger(__name__)

ENDINGS = (
    ("xlsx", gettext_lazy("XLSX, for Excel and Google Sheets")),
    ("ods", gettext_lazy("ODS, for LibreOffice")),
    ("csv", gettext_lazy("CSV, for other programs")),
)
# Which page of the list it was opened from says nothing about the rows.
NO_FILTERS = ("p", "e", "all")
# So many cells are written in a second, on a small machine.
CELLS_A_SECOND = 60_000


class ExportForm(forms.Form):
    columns = forms.MultipleChoiceField(
        label=gettext_lazy("Columns"),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        error_messages={"required": gettext_lazy("Choose at least one column.")},
    )
    ending = forms.ChoiceField(label=gettext_lazy("Format"), choices=ENDINGS, widget=UnfoldAdminRadioSelectWidget)

    def __init__(self, sheet: Sheet, user, *args, **kwargs):
        columns = sheet.open_to(user)
        last = SheetExport.last(user, sheet.name)
        usual = [column.name for column in columns if (column.name in last.columns if last else column.usual)]
        super().__init__(*args, initial={"columns": usual, "ending": last.ending if last else "xlsx"}, **kwargs)
        self.fields["columns"].choices = [(column.name, column.header) for column in columns]
        self.sheet = sheet

    def chosen(self) -> list[Column]:
        return self.sheet.chosen(self.cleaned_data["columns"])


class ExportAdmin(ImportExportMixinBase):
    """Gives a list the page where it is exported. ``sheet``: what leaves. Stands before the other bases."""

    import_export_change_list_template = "admin/import_export/change_list_export.html"
    sheet: Sheet

    def get_urls(self):
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export/", self.admin_site.admin_view(self.export_view), name=name), *super().get_urls()]

    def has_export_permission(self, request) -> bool:
        may = f"{self.opts.app_label}.export_{self.opts.model_name}"
        return request.user.has_perm(may) and self.has_view_or_change_permission(request)

    def changelist_view(self, request, extra_context=None):
        more = {"has_export_permission": self.has_export_permission(request)}
        return super().changelist_view(request, more | (extra_context or {}))

    def get_changelist(self, request, **kwargs):
        kind = super().get_changelist(request, **kwargs)
        if getattr(request, "exports", False):
            # All rows, in their order: no page of them.
            return type(kind.__name__, (kind,), {"get_results": lambda changelist, request: None})
        return kind

    def export_view(self, request) -> HttpResponseBase:
        """GET: what would leave. POST: the file."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        request.exports = True
        request.GET = request.GET.copy()
        for name in NO_FILTERS:
            request.GET.pop(name, None)
        try:
            found = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            messages.error(request, _("The list cannot be filtered like this. Choose its filters again, then export."))
            return redirect(back)
        count = found.queryset.count()
        form = ExportForm(self.sheet, request.user, request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                return self._file(request, form, found, count)
            except writing.TooManyRowsError as refusal:
                form.add_error("ending", str(refusal))
        query = request.GET.urlencode()
        filters = in_words(found, request)
        seconds = count * len(form.initial["columns"]) // CELLS_A_SECOND
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Export"),
            "form": form,
            "count": ngettext("%(count)s row", "%(count)s rows", count) % {"count": f"{count:,}"},
            "is_empty": not count,
            "filters": filters,
            "everything": not filters,
            "seconds": seconds if seconds > 1 else 0,
            "comes_back": self.sheet.comes_back,
            "row_header": HEADER,
            "back": f"{back}?{query}" if query else back,
        }
        return TemplateResponse(request, "admin/sheets/export.html", context)

    def _file(self, request, form: ExportForm, found, count: int) -> HttpResponseBase:
        ending, columns, now = form.cleaned_data["ending"], form.chosen(), timezone.now()
        zone = timezone.get_current_timezone()
        pieces = self.sheet.rows(found.queryset, columns, "csv" if ending == "csv" else "cell", zone, now)
        heads = self.sheet.heads(columns)
        name = f"{self.sheet.name.replace('_', '-')}-{timezone.localdate(now)}.{ending}"
        if ending == "csv":
            answer = StreamingHttpResponse(writing.csv_bytes(heads, pieces))
            answer["Content-Disposition"] = f'attachment; filename="{name}"'
        else:
            title = capfirst(self.opts.verbose_name_plural)
            answer = FileResponse(writing.made(ending, title, heads, pieces), as_attachment=True, filename=name)
        answer["Content-Type"] = writing.TYPES[ending]
        # The page that waits for the file looks for it (site/export.js).
        answer.set_cookie("exported", "1", max_age=60, path=request.path, samesite="Lax", secure=request.is_secure())
        self._note(request, ending, columns, found, count)
        return answer

    def _note(self, request, ending: str, columns: Sequence[Column], found, count: int) -> None:
        """Who took what. The names of filters only: what was looked for may be somebody's name."""
        names = sorted(filter_names(found))
        SheetExport.objects.create(
            by=request.user,
            sheet=self.sheet.name,
            ending=ending,
            rows=count,
            columns=[column.name for column in columns],
            filters=names,
        )
        words = (request.user.pk, count, self.sheet.name, ending, ", ".join(names) or "none")
        logger.info("export by %s: %s rows of %s as %s, filters: %s", *words)


# ---- filters ----------------------------------------------------------------------------------------------------------


def filter_names(found) -> set[str]:
    """By what a list is narrowed, as the address has it. Django has refused whatever is no filter of this list."""
    return set(found.get_filters_params()) | ({"q"} if found.query else set())


def in_words(found, request) -> list[tuple[str, str]]:
    """What a list is narrowed by, as people say it: (filter, value)."""
    words, spoken = [], set()
    for spec in found.filter_specs:
        names = [name for name in spec.expected_parameters() if name]
        used = {name: request.GET.getlist(name) for name in names if any(request.GET.getlist(name))}
        if used:
            spoken |= used.keys()
            words.append((capfirst(str(spec.title)), _chosen(spec, found, used)))
    for name, values in found.get_filters_params().items():
        if name not in spoken and any(values):
            words.append((capfirst(name.split("__")[0].replace("_", " ")), ", ".join(map(str, values))))
    if found.query:
        words.append((_("Search"), f"“{found.query}”"))
    return words


def _chosen(spec, found, used: dict[str, list[str]]) -> str:
    """The words for what is chosen in one filter."""
    said = []
    for choice in spec.choices(found):
        if form := choice.get("form"):
            said += [_label(form.fields[name], value) for name in form.fields for value in used.get(name, ())]
        elif choice.get("selected"):
            said.append(str(choice["display"]))
    return get_text_list(said, _("and")) if said else ", ".join(value for values in used.values() for value in values)


def _label(field: forms.Field, value: str) -> str:
    if rows := getattr(field, "queryset", None):
        row = rows.filter(pk=value).first() if value.isdecimal() else None
        return str(row or value)
    words = {str(key): str(label) for key, label in getattr(field, "choices", ())}
    return words.get(value, value)


# ---- who took what ------------------------------------------------------------------------------------------------------


@admin.register(SheetExport)
class SheetExportAdmin(ReadOnlyAdmin):
    list_display = ("at", "by", "title", "rows", "ending", "narrowed", "with_columns")
    list_filter = ("sheet",)
    list_select_related = ("by",)
    list_per_page = 50
    fields = ("at", "by", "title", "rows", "ending", "narrowed", "with_columns")

    @display(description="List", ordering="sheet")
    def title(self, export):
        return capfirst(export.sheet.replace("_", " "))

    @display(description="Filtered by")
    def narrowed(self, export):
        return ", ".join(name.split("__")[0] if name != "q" else "search" for name in export.filters) or "-"

    @display(description="Columns")
    def with_columns(self, export):
        return ", ".join(export.columns)
