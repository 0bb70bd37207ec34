"""Changes of a mentor's time at the desk: the page shows the sessions that a change touches, and asks about each.

One page for weekly hours, time off and windows, for saving and for deleting. Nothing is written past `scheduling.offering`.
"""

from collections.abc import Callable, Iterable
from functools import partial

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import HORIZONTAL
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminSelectWidget

from people.admin_pages import DiscreetAdmin
from scheduling import booking, offering, rules
from scheduling.admin.booking_forms import PersonField, PersonSelect, ReasonField, StartWidget
from scheduling.admin.filters import ByPerson
from scheduling.hours_forms import CANCEL, KEEP, TouchedForm
from scheduling.models import Session
from scheduling.moments import AsksWhich, LocalDateTimeField, WhichField
from scheduling.offering import Change

# Buttons of the page that asks.
BACK, REMOVE = "_back", "_remove"


class AdminTouchedForm(TouchedForm):
    """The same question as on the mentor's own pages, in the admin's widgets."""

    all = forms.ChoiceField(
        label="All for which you choose nothing below",
        required=False,
        choices=[("", "Choose for each, below"), (KEEP, "Keep all"), (CANCEL, "Cancel all")],
        widget=UnfoldAdminSelectWidget,
    )
    reason = ReasonField(help_text="Why they are canceled, if you cancel any. Mentor and mentee both read it.")
    widget = partial(UnfoldAdminRadioSelectWidget, radio_style=HORIZONTAL)


class Asked(Exception):  # noqa: N818  no error: the answer is a page
    """The change touches sessions, and what the request says about them is not enough."""

    def __init__(self, form: AdminTouchedForm):
        super().__init__()
        self.form = form


def make(request, changes: Iterable[tuple[Change, list[Session]]]) -> None:
    """Make these changes, each with the sessions that it touches, as the request decides about those. Raises `Asked`."""
    changes = list(changes)
    form = _decisions(request, [session for _, touched in changes for session in touched])
    if not form.is_valid():
        raise Asked(form)
    try:
        with transaction.atomic():
            keep, cancel, reason = form.those(KEEP), form.those(CANCEL), form.cleaned_data["reason"]
            for change, _ in changes:
                offering.make(change, by=request.user, keep=keep, cancel=cancel, reason=reason)
    except ValidationError as refusal:
        if refusal_is(refusal, "undecided"):
            # Booked since this request looked.
            make(request, [(change, offering.touched(change)) for change, _ in changes])
            return
        form.add_error(None, refusal)
        raise Asked(form) from refusal
    _tell(request, form)


def refusal_is(refusal: ValidationError, code: str) -> bool:
    return getattr(refusal, "code", None) == code


def _decisions(request, sessions: list[Session]) -> AdminTouchedForm:
    answered = f"{AdminTouchedForm.prefix}-listed" in request.POST
    return AdminTouchedForm(request.POST if answered or not sessions else None, sessions=sessions)


def _tell(request, form: AdminTouchedForm) -> None:
    canceled = [session for session in form.sessions if form.decided[session.pk] == CANCEL]
    kept = len(form.sessions) - len(canceled)
    if canceled:
        names = ", ".join(sorted({str(session.mentee) for session in canceled}))
        messages.success(request, f"Canceled: {count(len(canceled), 'session')}. The mentor is told, and {names}.")
    if kept:
        messages.info(request, f"Kept, outside of the time offered: {count(kept, 'session')}.")


def count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


class OfferingForm(forms.ModelForm):
    """A form on a row that says when a mentor can be booked. It knows what saving it would touch."""

    # What makes a change of such a row: it is never saved here.
    save_row: Callable[..., Change]
    change: Change | None = None
    touched: list[Session] = []

    def full_clean(self):
        if self.is_bound and self.instance.pk:
            # Before the row: who changes it elsewhere locks the people first.
            offering.lock(self.instance.mentor)
        super().full_clean()

    def clean(self):
        cleaned = super().clean()
        mentor = cleaned.get("mentor")
        if mentor and not mentor.user.is_active:
            self.add_error("mentor", ValidationError(f"{mentor} is deactivated. Bring them back first.", code="inactive"))
        elif mentor and not mentor.takes_part:
            no = _("%(person)s is no mentor any more. Add them as a mentor again first.") % {"person": mentor}
            self.add_error("mentor", ValidationError(no, code="inactive"))
        if BACK in self.data:
            raise ValidationError("Nothing is saved yet.", code="not_yet")
        return cleaned

    def _post_clean(self):
        if self.errors:
            # Times may still be as they were typed, without a zone: the row must not see them.
            return
        super()._post_clean()
        if self.errors or (self.instance.pk and not self.has_changed()):
            return
        change = self.save_row(self.instance)
        try:
            self.touched = offering.touched(change)
        except ValidationError as refusal:
            self.add_error(self._place_for(refusal), refusal)
        else:
            self.change = change

    def _place_for(self, refusal: ValidationError) -> str | None:
        return "start_time" if refusal_is(refusal, "overlap") and "start_time" in self.fields else None


class PeriodForm(AsksWhich, OfferingForm):
    """From one time to another, both typed by the clocks of the reader's zone."""

    start_time = LocalDateTimeField(label="From", widget=StartWidget)
    which_start_time = WhichField(asks_with=UnfoldAdminRadioSelectWidget)
    end_time = LocalDateTimeField(label="To", widget=StartWidget)
    which_end_time = WhichField(asks_with=UnfoldAdminRadioSelectWidget)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["start_time"].help_text = f"In your time zone, {timezone.get_current_timezone_name()}."

    def clean(self):
        cleaned = super().clean()
        end = cleaned.get("end_time")
        if end and end <= timezone.now() and not self.instance.pk:
            self.add_error("end_time", ValidationError("This time is in the past.", code="past"))
        return cleaned


class OfferingAdmin(ByPerson, DiscreetAdmin):
    """Saves and deletes by `scheduling.offering`, and asks about what is touched. Stands before the other bases."""

    # What deletes a row of this kind.
    remove_row: Callable[..., Change]
    form: type[OfferingForm]
    # So many at a time: for each, the page tries what would happen.
    MOST = 100

    list_filter_submit = True
    list_per_page = 50
    search_fields = ("mentor__user__first_name", "mentor__user__last_name", "mentor__user__email")
    actions = ("remove_selected",)
    warn_unsaved_form = True

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("mentor__user")

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        kwargs = {"widget": PersonSelect(db_field.name), "form_class": PersonField} | kwargs
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_readonly_fields(self, request, obj=None):
        """A row stays its mentor's: two mentors would be changed at once."""
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "mentor") if obj else fields

    def get_actions(self, request):
        """Django's own deletes past the door."""
        return {name: how for name, how in super().get_actions(request).items() if name != "delete_selected"}

    def render_change_form(self, request, context, *args, **kwargs):
        if BACK in request.POST:
            # As it was typed: there is nothing to correct.
            context["errors"] = []
        return super().render_change_form(request, context, *args, **kwargs)

    # ---- saving ---------------------------------------------------------------------------------------------------

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        view = booking.retry_after_deadlock(super().changeform_view)
        try:
            return view(request, object_id, form_url, extra_context)
        except Asked as asked:
            name = self.opts.verbose_name
            return self._ask(request, asked.form, title=f"Change {name}" if object_id else f"Add {name}", saves=True)

    def save_model(self, request, obj, form, change):
        if form.change is not None:
            make(request, [(form.change, form.touched)])
        if obj.pk is None:
            # It is saved as a copy. Still under the mentor's lock: nobody else has written another one since.
            saved = {field.name: getattr(obj, field.name) for field in self.opts.fields if field.name in form.cleaned_data}
            obj.pk = self.model.objects.filter(**saved).latest("pk").pk

    # ---- deleting -------------------------------------------------------------------------------------------------

    def delete_view(self, request, object_id, extra_context=None):
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_delete_permission(request, row):
            raise PermissionDenied
        return self._remove(request, [row]) or redirect(self._list())

    @admin.action(description="Delete selected", permissions=["delete"])
    def remove_selected(self, request, queryset):
        rows = list(queryset.order_by("pk")[: self.MOST + 1])
        if len(rows) > self.MOST:
            messages.error(request, f"Choose at most {self.MOST} at a time.")
            return None
        return self._remove(request, rows)

    def _remove(self, request, rows: list) -> HttpResponse | None:
        """The page that asks, or None when they are deleted."""
        if request.method == "POST" and REMOVE in request.POST:
            try:
                booking.retry_after_deadlock(self._removed)(request, rows)
            except Asked as asked:
                form = asked.form
            else:
                return None
        else:
            form = AdminTouchedForm(
                sessions=[session for change in self._changes(rows) for session in offering.touched(change)]
            )
        title = f"Delete {self.opts.verbose_name if len(rows) == 1 else f'these {len(rows)}'}?"
        return self._ask(request, form, title=title, rows=[self.describe(row) for row in rows])

    @transaction.atomic
    def _removed(self, request, rows: list) -> None:
        shown = self.describe(rows[0]) if len(rows) == 1 else len(rows)
        mentors = {row.mentor_id: row.mentor for row in rows}
        ahead = Session.objects.active().ahead().filter(mentor__in=mentors).select_related("mentee__user")
        # Everybody at once, in the one order.
        booking.lock(*mentors.values(), *(session.mentee for session in ahead))
        self.log_deletions(request, rows)
        make(request, [(change, offering.touched(change)) for change in self._changes(rows)])
        messages.success(request, f"Deleted: {shown}.")

    def _changes(self, rows: list) -> list[Change]:
        """One change for each mentor."""
        changes = []
        for mentor in {row.mentor_id: row.mentor for row in rows}.values():
            theirs = [self.remove_row(row) for row in rows if row.mentor_id == mentor.pk]
            changes.append(Change(mentor, lambda theirs=theirs: [change.apply() for change in theirs]))
        return changes

    # ---- asking ---------------------------------------------------------------------------------------------------

    def _ask(self, request, form: AdminTouchedForm, *, title: str, rows=(), saves=False) -> TemplateResponse:
        ours = ("csrfmiddlewaretoken", BACK, REMOVE)
        carried = [
            (name, value)
            for name, values in request.POST.lists()
            if name not in ours and not name.startswith(f"{form.prefix}-")
            for value in values
        ]
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "media": self.media,
            "form": form,
            # What was typed, and what was chosen in the list: sent again with the decisions.
            "carried": carried,
            "rows": rows,
            "saves": saves,
            "back": self._list(),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/hours/touched.html", context)

    def _list(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def describe(self, row) -> str:
        """In the words of the page that asks whether to delete it."""
        return f"{row.mentor}, {rules.when(row.period, timezone.get_current_timezone())}"

    @display(description="Mentor", ordering="mentor__user__first_name")
    def mentor_name(self, row):
        return str(row.mentor)
