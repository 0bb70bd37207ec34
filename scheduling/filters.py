"""How lists on the pages are narrowed."""

from datetime import UTC, timedelta

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from people.filters import NumberFilter
from people.models import Mentor, Skill
from scheduling import booking
from scheduling.models import LENGTHS, Availability, Session
from scheduling.slots import Period
from scheduling.words import Status


class MentorFilter(django_filters.FilterSet):
    """Mentors by what they know, and by words from their name or what they say about themselves."""

    skill = django_filters.ModelMultipleChoiceFilter(
        queryset=Skill.objects.all(), label=_("Knows"), method="who_know", widget=forms.CheckboxSelectMultiple
    )
    words = django_filters.CharFilter(
        method="with_words", label=_("Name or words"), max_length=100, widget=forms.TextInput(attrs={"type": "search"})
    )

    class Meta:
        model = Mentor
        fields = ["skill", "words"]

    def who_know(self, mentors, name, skills):
        skills = list(skills)
        return mentors.knowing(skills) if skills else mentors

    def with_words(self, mentors, name, value):
        """Every word is somewhere: in the name or in the text."""
        for word in value.split():
            mentors = mentors.filter(
                Q(user__first_name__icontains=word) | Q(user__last_name__icontains=word) | Q(about_me__icontains=word)
            )
        return mentors


# ---- what programs ask ------------------------------------------------------------------------------------------------

LONGEST_SPAN = timedelta(days=31)


class MomentField(django_filters.fields.IsoDateTimeField):
    """A time in ISO 8601. Without a zone it is in UTC."""

    default_error_messages = {"invalid": _("This is no time. Write it like 2027-03-01T09:00:00Z.")}

    def clean(self, value):
        moment = super().clean(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None


class MomentFilter(django_filters.IsoDateTimeFilter):
    field_class = MomentField


class FreeForm(forms.Form):
    """Both ends of the time somebody should be free in."""

    def clean(self):
        start, end = self.cleaned_data.get("free_from"), self.cleaned_data.get("free_to")
        if not self.errors and (start is None) != (end is None):
            raise ValidationError(_("Give both, free_from and free_to."), code="one_end")
        if start and end and not timedelta(0) < end - start <= LONGEST_SPAN:
            raise ValidationError(_("free_to comes after free_from, 31 days at most."), code="span")

    def clean_minutes(self):
        minutes = self.cleaned_data["minutes"]
        if minutes is not None and minutes not in LENGTHS:
            raise ValidationError(
                _("Sessions last %(lengths)s minutes.") % {"lengths": ", ".join(map(str, LENGTHS))}, code="length"
            )
        return minutes


class MentorsFilter(django_filters.FilterSet):
    """Mentors by what they know, and by when they can be booked."""

    skills = django_filters.CharFilter(
        method="who_know", max_length=500, help_text=_("Names of skills, separated by commas; all are required, in any case.")
    )
    free_from = MomentFilter(method="as_it_is", help_text=_("Only who can be booked between this time and free_to."))
    free_to = MomentFilter(method="as_it_is", help_text=_("At most 31 days after free_from."))
    minutes = NumberFilter(method="as_it_is", help_text=_("How long they have to be free: 30, unless said."))

    class Meta:
        model = Mentor
        fields = ["skills", "free_from", "free_to", "minutes"]
        form = FreeForm

    def who_know(self, mentors, name, value):
        return mentors.who_know(value)

    def as_it_is(self, mentors, name, value):
        """The three are asked about together."""
        return mentors

    def filter_queryset(self, queryset):
        found, asked = super().filter_queryset(queryset), self.form.cleaned_data
        if not asked["free_from"]:
            return found
        span = Period(asked["free_from"], asked["free_to"])
        return found.filter(pk__in=[key for key, _slots in booking.free(found, asked["minutes"] or 30, span)])


class WindowFilter(django_filters.FilterSet):
    """Windows by their mentor and by when they are."""

    mentor = NumberFilter(field_name="mentor_id", help_text=_("Only those of the mentor with this key."))
    # A word of Python's.
    vars()["from"] = MomentFilter(field_name="end_time", lookup_expr="gt", help_text=_("Only those that end after this time."))
    to = MomentFilter(field_name="start_time", lookup_expr="lt", help_text=_("Only those that begin before this time."))

    class Meta:
        model = Availability
        fields = ["mentor", "from", "to"]


class SessionFilter(django_filters.FilterSet):
    """Sessions by their people, their status, and by when they begin."""

    status = django_filters.MultipleChoiceFilter(choices=Status.choices, help_text=_("Only those with one of these."))
    mentor = NumberFilter(field_name="mentor_id", help_text=_("Only those of the mentor with this key."))
    mentee = NumberFilter(field_name="mentee_id", help_text=_("Only those of the mentee with this key."))
    # A word of Python's.
    vars()["from"] = MomentFilter(
        field_name="start_time", lookup_expr="gte", help_text=_("Only those that begin then or later.")
    )
    to = MomentFilter(field_name="start_time", lookup_expr="lt", help_text=_("Only those that begin before this time."))

    class Meta:
        model = Session
        fields = ["status", "mentor", "mentee", "from", "to"]
