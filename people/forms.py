"""What people fill in about themselves: signing up, setting a password, the profile."""

from allauth.account import forms as allauth_forms
from allauth.account.adapter import get_adapter
from allauth.mfa.webauthn import forms as key_forms
from django import forms
from django.db import transaction
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from people import languages, photos, time_zones
from people.accounts import mark_verified
from people.models import Mentor, NotificationSettings, Skill, Team, User, Wish
from people.stale import FreshForm


class TimeZoneField(forms.TypedChoiceField):
    """A zone from the list, or empty for the program's."""

    def __init__(self, **kwargs):
        kwargs = {"label": _("Time zone"), "required": False, "empty_value": ""} | kwargs
        super().__init__(choices=lambda: [("", _("The program’s time zone")), *time_zones.choices()], **kwargs)

    def validate(self, value: str) -> None:
        """With the sentence of the sheets. Django's own would repeat all that was sent, be it 5,000 letters."""
        forms.Field.validate(self, value)
        if value:
            time_zones.validate(value)


class SignupForm(allauth_forms.SignupForm):
    """An account for anybody. Roles are taken when the address is verified."""

    first_name = forms.CharField(
        label=_("First name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "given-name"})
    )
    last_name = forms.CharField(
        label=_("Last name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "family-name"})
    )
    time_zone = TimeZoneField(
        help_text=_("All times are shown in this zone. You can change it later."),
        # site.js chooses the browser's zone where nothing is chosen.
        widget=forms.Select(attrs={"data-guess-zone": True}),
    )

    wanted_role = forms.ChoiceField(label=_("How do you want to take part?"), widget=forms.RadioSelect)

    field_order = ["first_name", "last_name", "email", "password1", "time_zone", "wanted_role"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail address")
        open_roles = get_adapter().open_roles()
        self.fields["wanted_role"].choices = [(wish, wish.label) for wish in Wish if wish.roles <= open_roles]

    def save(self, request) -> User:
        user = super().save(request)
        user.time_zone = self.cleaned_data["time_zone"]
        user.wanted_role = self.cleaned_data["wanted_role"]
        # The one this page was read in: mails go on in it.
        user.language = get_language() or ""
        user.save(update_fields=["time_zone", "wanted_role", "language"])
        return user


class SetPasswordForm(allauth_forms.ResetPasswordKeyForm):
    """The form behind a mailed link. Who follows the link can read that mailbox."""

    def save(self) -> None:
        super().save()
        mark_verified(self.user)


class KeyForm(key_forms.AddWebAuthnForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["passwordless"].label = _("Log in with it alone, without a password")
        self.fields["passwordless"].help_text = _("A passkey. Your browser then asks for a finger, a face or a PIN.")


class ProfileForm(FreshForm):
    """Everything a person can say about themselves, on one page; mentors and mentees have some more fields."""

    time_zone = TimeZoneField(help_text=_("All pages and mails show times in this zone."))

    class Meta:
        model = User
        fields = ["first_name", "last_name", "time_zone", "language", "phone_number"]
        widgets = {
            "first_name": forms.TextInput(attrs={"autocomplete": "given-name"}),
            "last_name": forms.TextInput(attrs={"autocomplete": "family-name"}),
            "phone_number": forms.TextInput(attrs={"autocomplete": "tel", "type": "tel"}),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.by = self.instance
        self.fields["first_name"].required = self.fields["last_name"].required = True
        self.fields["language"].choices = [("", _("As my browser asks for")), *languages.names().items()]
        self.fields["language"].help_text = _("All pages and mails speak it.")
        if lost := time_zones.lost(self.instance.time_zone):
            # No choice has that name: the first is shown as chosen, and it is what counts.
            self.fields["time_zone"].help_text = format_html(
                _(
                    "“{}”, which you had chosen, is not known any more. Choose again: all pages and mails show times in this zone."
                ),
                lost,
            )
        if self.instance.is_mentor:
            self._add_mentor_fields(self.instance.mentor)
        if self.instance.is_mentee:
            self._add_mentee_fields(self.instance.mentee)
        wanted = NotificationSettings.objects.filter(user=self.instance).first() or NotificationSettings()
        for name in NotificationSettings.SWITCHES:
            label = NotificationSettings._meta.get_field(name).verbose_name
            self.fields[name] = forms.BooleanField(
                label=label[0].upper() + label[1:], required=False, initial=getattr(wanted, name)
            )

    def _add_mentor_fields(self, mentor) -> None:
        self.fields["about_me"] = forms.CharField(
            label=_("About me"),
            required=False,
            max_length=4000,
            initial=mentor.about_me,
            widget=forms.Textarea(attrs={"rows": 6}),
            help_text=_("What mentees read before they ask you for a session."),
        )
        self.fields["skills"] = forms.ModelMultipleChoiceField(
            Skill.objects.all(),
            label=_("What I can help with"),
            required=False,
            initial=list(mentor.skills.values_list("pk", flat=True)),
            widget=forms.CheckboxSelectMultiple,
            help_text=format_html(
                _('Yours is not here? Save, then <a href="{}">suggest it</a>.'), reverse("skill_suggestions")
            ),
        )
        self.fields["meeting_link"] = Mentor._meta.get_field("meeting_link").formfield(
            label=_("Meeting link"),
            initial=mentor.meeting_link,
            help_text=_(
                "A room of your own for online sessions, like https://meet.example.org/maya. Whoever has a session with you"
                " sees it. Empty: each session gets a new room. Sessions that are booked already keep theirs."
            ),
        )

    def _add_mentee_fields(self, mentee) -> None:
        self.fields["team"] = forms.ModelChoiceField(
            Team.objects.all(),
            label=_("Team"),
            required=False,
            empty_label=_("No team"),
            initial=mentee.team_id,
            help_text=_("Yours is not in the list? Ask your program coordinator to add it."),
        )
        self.fields["goals"] = forms.CharField(
            label=_("My goals"),
            required=False,
            max_length=4000,
            initial=mentee.goals,
            widget=forms.Textarea(attrs={"rows": 4}),
            help_text=_("What you want to reach. Mentors who have a session with you read it, and so do coordinators."),
        )

    def edited_rows(self):
        user = self.instance
        return [user, *([user.mentor] if user.is_mentor else []), *([user.mentee] if user.is_mentee else [])]

    @property
    def person_fields(self):
        return [self[name] for name in self._meta.fields]

    @property
    def mentor_fields(self):
        return [self[name] for name in ("about_me", "skills", "meeting_link") if name in self.fields]

    @property
    def mentee_fields(self):
        return [self[name] for name in ("team", "goals") if name in self.fields]

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
        if user.is_mentee:
            user.mentee.team = self.cleaned_data["team"]
            user.mentee.goals = self.cleaned_data["goals"]
            user.mentee.save()
        return user


class SuggestionForm(forms.Form):
    name = forms.CharField(label=_("Skill"), max_length=80, help_text=_("In a word or two, like “Public speaking”."))


class PhotoForm(forms.Form):
    # The server looks at the bytes (people/photos.py); this is for the browser's window of files.
    photo = forms.FileField(
        label=_("Photo"),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
        help_text=_("A JPEG, PNG or WebP of up to 5 MB. It is cut to a square; where and when it was taken is not kept."),
        error_messages={"empty": _("The file is empty. Choose another one.")},
    )

    def clean_photo(self) -> bytes:
        return photos.drawn_anew(self.cleaned_data["photo"])


class AccessKeyForm(forms.Form):
    name = forms.CharField(max_length=60, help_text=_("What will use it, like “team report”."))
    days = forms.TypedChoiceField(
        label=_("Works for"), coerce=int, initial=365, choices=[(30, _("30 days")), (365, _("1 year"))]
    )
