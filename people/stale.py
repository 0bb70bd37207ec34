"""An edit form is saved only while what it showed is still so: of two people who edit the same thing, the second is told.

Sessions count their versions for this, since they change through one door. People, teams or the policy change through many
(admin, sheets, profile), so their forms carry a digest of what they showed, and look again before anything is saved.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from django import forms
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import NON_FIELD_ERRORS, ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db.models import Model
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _

from people.models import User


class SeenField(forms.Field):
    """When the page was opened, and a digest of what it showed. Keyed, so that it tells nobody any of it."""

    widget = forms.HiddenInput

    def has_changed(self, initial, data):
        return False


class FreshForm(forms.ModelForm):
    """A form on something that exists. Validate and save it in one transaction: what it compares stays locked until then."""

    seen = SeenField(required=False)

    # One row at most, like the limits of a mentor: two pages that fill it in for the first time are told apart, too.
    only_one = False
    # Who fills it in.
    by: User | None = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance._state.adding and not self.only_one:
            del self.fields["seen"]
        elif not self.is_bound:
            # Read before the page reads them: a change in between is then a false alarm, and not overwritten.
            self._below = [_shown(form) for formset in self.formsets() for form in formset.initial_forms]
            # Called when the page is drawn: by then every subclass has added its fields.
            self.fields["seen"].initial = lambda: f"{timezone.now().timestamp():.6f}-{self._digest()}"

    def edited_rows(self) -> list[Model]:
        """The rows whose columns this form writes, in the order in which they are locked: a user before their roles."""
        return [] if self.instance._state.adding else [self.instance]

    def formsets(self) -> Iterable[forms.BaseFormSet]:
        """What else is saved with the form, as it is shown now."""
        return ()

    def clean(self):
        if "seen" in self.fields:
            self._look_again()
        return super().clean()

    def _look_again(self) -> None:
        """Lock the rows, bring them up to date (columns that the form does not show included), and compare."""
        rows = self.edited_rows()
        try:
            for row in rows:
                row.refresh_from_db(from_queryset=row._meta.base_manager.select_for_update(no_key=True))
        except ObjectDoesNotExist:
            raise ValidationError(_("Somebody deleted this meanwhile. Nothing was saved."), code="stale") from None
        for name, field in self.fields.items():
            if field.disabled:
                # Its "cleaned" value is from before the lock: a password hash, for one, would be put back.
                self.cleaned_data.pop(name, None)
        # A request that names no page (a script's) was shown nothing that could have changed.
        sent = self.cleaned_data.get("seen") or ""
        opened, _dash, digest = sent.partition("-")
        if sent and not constant_time_compare(digest, type(self)(instance=self.instance)._digest()):
            raise _refusal(rows, _moment(opened), self.by)

    def _digest(self) -> str:
        shown = json.dumps([self.instance._meta.label, _shown(self), self._below], default=str, sort_keys=True)
        return salted_hmac("people.stale", shown, algorithm="sha256").hexdigest()[:32]


class FreshAdmin:
    """Makes the change pages of an admin, with their inlines, FreshForms. Stands before the other bases."""

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = kwargs.get("form", self.form)
        if self._can_be_stale(request, obj) and not issubclass(form, FreshForm):
            kwargs["form"] = type(form)(f"Fresh{form.__name__}", (FreshForm, form), {})
        form = super().get_form(request, obj, change=change, **kwargs)
        form.by = request.user
        form.formsets = lambda form: self._formsets(request, form.instance)
        return form

    def get_fieldsets(self, request, obj=None):
        (title, options), *others = super().get_fieldsets(request, obj)
        # First, not last: Unfold draws no line under what comes last.
        fields = [*["seen"] * self._can_be_stale(request, obj), *(name for name in options["fields"] if name != "seen")]
        return [(title, options | {"fields": fields}), *others]

    def render_change_form(self, request, context, *args, **kwargs):
        if context["adminform"].form.has_error(NON_FIELD_ERRORS, "stale"):
            # Without Unfold's "please correct the errors below": there is nothing on this page to correct.
            context["errors"] = []
        return super().render_change_form(request, context, *args, **kwargs)

    def history_form_view(self, request, object_id, version_id, extra_context=None):
        """An old version is there to be looked at: simple_history would save what is posted to it, from whoever may view."""
        if request.method == "POST":
            raise PermissionDenied
        return super().history_form_view(request, object_id, version_id, extra_context)

    def _can_be_stale(self, request, obj) -> bool:
        return obj is not None and self.has_change_permission(request, obj)

    def _formsets(self, request, obj):
        for formset, inline in self.get_formsets_with_inlines(request, obj):
            if inline.has_change_permission(request, obj):
                kwargs = self.get_formset_kwargs(request, obj, inline, formset.get_default_prefix())
                yield formset(**{name: value for name, value in kwargs.items() if name not in ("data", "files", "save_as_new")})


def _shown(form) -> dict:
    """What the fields of an unbound form show."""
    return {
        name: _plain(field, form.get_initial_for_field(field, name))
        for name, field in form.fields.items()
        # Nobody's edit: what is only shown, and what is made anew for every page (the stamp itself, a form's key).
        if not field.disabled and not (callable(field.initial) and name not in form.initial)
    }


def _plain(field, value):
    if isinstance(field, forms.ModelMultipleChoiceField):
        # In an order of ours: theirs is often by name, and a name may change.
        return sorted(str(getattr(row, "pk", row)) for row in value or ())
    return value.pk if isinstance(value, Model) else value


def _moment(opened: str) -> datetime:
    try:
        return datetime.fromtimestamp(float(opened), UTC)
    except (ValueError, OverflowError, OSError):
        return timezone.now()


def _refusal(rows: list[Model], opened: datetime, by: User | None) -> ValidationError:
    who, when = _last_change(rows, opened)
    by_you = who is not None and who == by
    if when is None:
        told = _("%(who)s changed this meanwhile.") % {"who": who} if who else _("Somebody changed this meanwhile.")
    elif by_you:
        told = _("You changed this %(when)s on another page.") % {"when": _at(when)}
    elif who:
        told = _("%(who)s changed this %(when)s.") % {"who": who, "when": _at(when)}
    else:
        told = _("Somebody changed this %(when)s.") % {"when": _at(when)}
    # A link: to reload the answer to a form would send the form again. A new tab: what was typed stays here to be copied.
    sentence = format_html(
        _(
            '{} Nothing of yours was saved: <a href="" target="_blank" class="underline">open the page anew</a>,'
            " and make your change again."
        ),
        told,
    )
    return ValidationError(sentence, code="stale")


def _at(moment: datetime) -> str:
    """By the reader's clock, with the day where it is another one."""
    local = timezone.localtime(moment)
    if local.date() == timezone.localdate():
        return _("at %(time)s") % {"time": f"{local:%H:%M}"}
    return _("on %(when)s") % {"when": date_format(local, "DATETIME_FORMAT")}


def _last_change(rows: list[Model], since: datetime) -> tuple[User | None, datetime | None]:
    """Who changed these rows last, and when: nothing where nobody wrote it down, rather than whoever came before."""
    told, saved = [], []
    for row in rows:
        kind = ContentType.objects.get_for_model(row, for_concrete_model=False)
        entries = LogEntry.objects.filter(content_type=kind, object_id=str(row.pk), action_time__gt=since)
        told += [(entry.action_time, entry.user) for entry in entries.select_related("user")]
        if hasattr(row._meta, "simple_history_manager_attribute"):
            for record in row.history.filter(history_date__gt=since).select_related("history_user"):
                before = record.prev_record
                # A log-in saves a user, too, and changes nothing that is kept here.
                changed = before is None or record.diff_against(before).changed_fields
                (told if changed else saved).append((record.history_date, record.history_user))
    when, who = max(told or saved, key=lambda change: change[0], default=(None, None))
    return who, when
