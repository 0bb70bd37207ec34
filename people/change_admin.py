"""What was changed in one go, and the button that undoes it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef
from django.http import Http404
from django.urls import NoReverseMatch
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from people import changes
from people.admin_pages import ReadOnlyAdmin, answer, page_of
from people.models import Change, ChangeSet, NotificationSettings, Role, User

PER_PAGE = 50
UNDONE, IN_PART = gettext_lazy("undone"), gettext_lazy("undone in part")


class UndoForm(BaseDialogForm):
    form_before_template = "admin/people/changeset/undo.html"

    def get_before_template_context(self, request, object_id=None):
        rows = list(Change.objects.filter(change_set=object_id, undone_at=None).select_related("content_type"))
        warned = [one.warned(theirs) for one, theirs in changes.by_way(rows).items() if one.warned]
        return {"count": len(rows), "warned": warned}


@admin.register(ChangeSet)
class ChangeSetAdmin(ReadOnlyAdmin):
    list_display = ("sentence", "kind_label", "at", "who", "touched", "state_label")
    list_filter = (("kind", ChoicesDropdownFilter),)
    list_filter_submit = True
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-at", "-pk")
    sortable_by = ("at",)
    fieldsets = ((None, {"fields": (("sentence", "kind_label"), ("at", "who", "whom"), ("touched", "state_label", "undone"))}),)
    change_form_after_template = "admin/people/changeset/rows.html"
    actions_detail = ("undo",)

    def get_queryset(self, request):
        left = Change.objects.filter(change_set=OuterRef("pk"), undone_at=None)
        rows = super().get_queryset(request).select_related("by", "about", "undone_by")
        return rows.annotate(touched_count=Count("changes"), something_left=Exists(left))

    def get_object(self, request, object_id, from_field=None):
        """Once a request: the page, its button and its permission all ask."""
        known = request.__dict__.setdefault("change_sets", {})
        if object_id not in known:
            known[object_id] = super().get_object(request, object_id, from_field)
        return known[object_id]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        row = self.get_object(request, object_id)
        more = {} if row is None else {"page": page_of_rows(row, request.GET.get("page")), "title": row.sentence}
        return super().change_view(request, object_id, form_url, more | (extra_context or {}))

    @action(
        description=gettext_lazy("Undo"),
        permissions=["undo"],
        icon="undo",
        variant=ActionVariant.DANGER,
        dialog={
            "title": gettext_lazy("Undo all of this?"),
            "description": gettext_lazy(
                "Everything goes back to what it was before. What somebody has changed since stays as it is, and is named."
            ),
            "form_class": UndoForm,
            "form_submit_text": gettext_lazy("Undo"),
        },
    )
    def undo(self, request, form, object_id):
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404

        def act():
            outcome = changes.undo(row, by=request.user)
            if outcome.refused:
                count = len(outcome.refused)
                said = ngettext("%d stays as it is: see why below.", "%d stay as they are: see why below.", count)
                messages.warning(request, said % count)
            return _("Undone: %(done)d of %(all)d.") % {
                "done": len(outcome.undone),
                "all": len(outcome.undone) + len(outcome.refused),
            }

        return answer(request, act, page_of(self.opts, object_id))

    def has_undo_permission(self, request, object_id=None):
        if object_id is None:
            return request.user.has_perm(changes.UNDOES)
        row = self.get_object(request, object_id)
        return row is not None and changes.refusal(row, request.user) is None

    @display(description=gettext_lazy("Kind"))
    def kind_label(self, row):
        return capfirst(row.get_kind_display())

    @display(description=gettext_lazy("By"))
    def who(self, row):
        return row.by or "-"

    @display(description=gettext_lazy("About"))
    def whom(self, row):
        return row.about or "-"

    @display(description=gettext_lazy("How many"))
    def touched(self, row):
        return row.touched_count

    @display(description=gettext_lazy("Undone?"), label={UNDONE: "info", IN_PART: "warning"})
    def state_label(self, row):
        if row.undone_at is None:
            return None
        return IN_PART if row.something_left else UNDONE

    @display(description=gettext_lazy("Undone by"))
    def undone(self, row):
        if row.undone_at is None:
            return "-"
        who = row.undone_by or _("The program")
        return f"{who}, {date_format(timezone.localtime(row.undone_at), 'DATETIME_FORMAT')}"


# ---- the rows of a set ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    label: str
    old: str
    new: str


def page_of_rows(change_set: ChangeSet, number):
    """One page of what the set touched; what could not be undone comes first."""
    rows = change_set.changes.select_related("content_type").order_by("-refused", "pk")
    page = Paginator(rows, PER_PAGE).get_page(number)
    page.object_list = shown(list(page.object_list))
    return page


def shown(rows: list[Change]) -> list[dict]:
    """Each change with the name of what it changed, where that is, and what was before and after."""
    names, others = _names(rows), _others(rows)
    return [
        {
            "change": row,
            "name": names.get((row.content_type_id, row.key)),
            "kind": capfirst(row.content_type.name),
            "link": _link(row) if (row.content_type_id, row.key) in names else "",
            "made": row.before is None,
            "erased": row.before == {},
            "differences": _differences(row, others),
        }
        for row in rows
    ]


def _named(model, keys) -> dict[int, str]:
    rows = model._default_manager.all()
    rows = rows.select_related("user") if issubclass(model, Role) else rows
    return {key: str(row) for key, row in rows.in_bulk(list(keys)).items()}


def _names(rows: list[Change]) -> dict[tuple[int, int], str]:
    keys = defaultdict(list)
    for row in rows:
        keys[row.content_type].append(row.key)
    found = {}
    for kind, theirs in keys.items():
        known, model = changes.way_of(kind), kind.model_class()
        named = known.named(theirs) if known and known.named else _named(model, theirs) if model else {}
        found |= {(kind.pk, key): name for key, name in named.items()}
    return found


def _link(row: Change) -> str:
    try:
        return page_of(row.content_type.model_class()._meta, row.key)
    except NoReverseMatch:
        return ""


def _changed(row: Change):
    """The columns that differ: the field, and both values."""
    known, model = changes.way(row), row.content_type.model_class()
    before, after = row.before or {}, row.after or {}
    for part, was, is_now in _parts(model, before, after) if model else ():
        # In the order of the model: a database keeps that of a dictionary as it likes.
        for column in (*part.concrete_fields, *part.many_to_many):
            name = column.attname
            if name in was and was[name] != is_now.get(name) and not (known and name in known.hidden):
                yield column, was[name], is_now.get(name)


def _parts(model, before: dict, after: dict):
    """The row itself; and of a person in a role, what is kept with it of their account and switches."""
    if issubclass(model, Role):
        for name, part in (("user", User), ("switches", NotificationSettings)):
            yield part._meta, before.get(name) or {}, after.get(name) or {}
    yield model._meta, before, after


def _others(rows: list[Change]) -> dict[tuple[type, int], str]:
    """What the values that lead to other rows are called: in one question a table."""
    keys = defaultdict(set)
    for row in rows:
        for column, old, new in _changed(row):
            if column.is_relation:
                keys[column.related_model] |= {*_keys(old), *_keys(new)} - {None}
    return {(model, key): name for model, theirs in keys.items() for key, name in _named(model, theirs).items()}


def _keys(value) -> list:
    return value if isinstance(value, list) else [value]


def _differences(row: Change, others) -> list[Difference]:
    return [
        Difference(capfirst(column.verbose_name), _words(column, old, others), _words(column, new, others))
        for column, old, new in _changed(row)
    ]


def _words(column, value, others) -> str:
    if value in (None, "", []):
        return "–"
    if column.is_relation:
        return ", ".join(sorted(others.get((column.related_model, key), "–") for key in _keys(value)))
    if column.choices:
        return str(dict(column.flatchoices).get(value, value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    found = column.to_python(value)
    if hasattr(found, "tzinfo") and found.tzinfo:
        return date_format(timezone.localtime(found), "DATETIME_FORMAT")
    if isinstance(found, date):
        return date_format(found, "DATE_FORMAT")
    return str(value)
