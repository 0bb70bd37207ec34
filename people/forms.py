"""What people fill in about themselves: signing up, setting a password, the profile."""

from allauth.account import forms as allauth_forms
from django import forms
from django.db import transaction
from django.utils.html import format_html

from people import time_zones
from people.accounts import mark_verified
from people.models import Mentor, NotificationSettings, Skill, User
from people.stale import FreshForm


class TimeZoneField(forms.TypedChoiceField):
    """A zone from the list, or empty for the program's."""

    def __init__(self, **kwargs):
        kwargs = {"label": "Time zone", "required": False, "empty_value": ""} | kwargs
        super().__init__(choices=lambda: [("", "The program’s time zone"), *time_zones.choices()], **kwargs)

    def validate(self, value: str) -> None:
        """With the sentence of the sheets. Django's own would repeat all that was sent, be it 5,000 letters."""
        forms.Field.validate(self, value)
        if value:
            time_zones.validate(value)


class SignupForm(allauth_forms.SignupForm):
    """An account for anybody. Roles are chosen after the address is verified."""

    first_name = forms.CharField(max_length=150, widget=forms.TextInput(attrs={"autocomplete": "given-name"}))
    last_name = forms.CharField(max_length=150, widget=forms.TextInput(attrs={"autocomplete": "family-name"}))
    time_zone = TimeZoneField(
        help_text="All times are shown in this zone. You can change it later.",
        # site.js chooses the browser's zone where nothing is chosen.
        widget=forms.Select(attrs={"data-guess-zone": True}),
    )

    field_order = ["first_name", "last_name", "email", "password1", "time_zone"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "E-mail address"

    def save(self, request) -> User:
        user = super().save(request)
        user.time_zone = self.cleaned_data["time_zone"]
        user.save(update_fields=["time_zone"])
        return user


class SetPasswordForm(allauth_forms.ResetPasswordKeyForm):
    """The form behind a mailed link. Who follows the link can read that mailbox."""

    def save(self) -> None:
        super().save()
        mark_verified(self.user)


class ProfileForm(FreshForm):
    """Everything a person can say about themselves, on one page; mentors have three more fields."""

    time_zone = TimeZoneField(help_text="All pages and mails show times in this zone.")

    class Meta:
        model = User
        fields = ["first_name", "last_name", "time_zone", "phone_number"]
        widgets = {
            "first_name": forms.TextInput(attrs={"autocomplete": "given-name"}),
            "last_name": forms.TextInput(attrs={"autocomplete": "family-name"}),
            "phone_number": forms.TextInput(attrs={"autocomplete": "tel", "type": "tel"}),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.by = self.instance
        self.fields["first_name"].required = self.fields["last_name"].required = True
        if lost := time_zones.lost(self.instance.time_zone):
            # No choice has that name: the first is shown as chosen, and it is what counts.
            self.fields["time_zone"].help_text = format_html(
                "“{}”, which you had chosen, is not known any more. Choose again: all pages and mails show times in this zone.",
                lost,
            )
        if self.instance.is_mentor:
            self._add_mentor_fields(self.instance.mentor)
        wanted = NotificationSettings.objects.filter(user=self.instance).first() or NotificationSettings()
        for name in NotificationSettings.SWITCHES:
            label = NotificationSettings._meta.get_field(name).verbose_name
            self.fields[name] = forms.BooleanField(
                label=label[0].upper() + label[1:], required=False, initial=getattr(wanted, name)
            )

    def _add_mentor_fields(self, mentor) -> None:
        self.fields["about_me"] = forms.CharField(
            label="About me",
            required=False,
            max_length=4000,
            initial=mentor.about_me,
            widget=forms.Textarea(attrs={"rows": 6}),
            help_text="What mentees read before they ask you for a session.",
        )
        self.fields["skills"] = forms.ModelMultipleChoiceField(
            Skill.objects.all(),
            label="What I can help with",
            required=False,
            initial=list(mentor.skills.values_list("pk", flat=True)),
            widget=forms.CheckboxSelectMultiple,
        )
        self.fields["meeting_link"] = Mentor._meta.get_field("meeting_link").formfield(
            initial=mentor.meeting_link,
            help_text="A room of your own for online sessions, like https://meet.example.org/maya. Whoever has a session with you"
            " sees it. Empty: each session gets a new room. Sessions that are booked already keep theirs.",
        )

    def edited_rows(self):
        return [self.instance, self.instance.mentor] if self.instance.is_mentor else [self.instance]

    @property
    def person_fields(self):
        return [self[name] for name in self._meta.fields]

    @property
    def mentor_fields(self):
        return [self[name] for name in ("about_me", "skills", "meeting_link") if name in self.fields]

    @property
    def switches(self):
        return [self[name] for name in NotificationSettings.SWITCHES]

    @transaction.atomic
    def save(self) -> User:
        user = super().save()
        chosen = {name: self.cleaned_data[name] for name in NotificationSettings.SWITCHES}
        NotificationSettings.objects.update_or_create(user=user, defaults=chosen)
        if user.is_mentor:
            user.mentor.about_me = self.cleaned_data["about_me"]
            user.mentor.meeting_link = self.cleaned_data["meeting_link"]
            user.mentor.save()
            user.mentor.skills.set(self.cleaned_data["skills"])
        return user
