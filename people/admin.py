"""The coordinator's desk: who there is."""

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from phonenumber_field.formfields import PhoneNumberField
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from people import inviting, sessions
from people.accounts import forget_addresses
from people.admin_pages import answer, page_of
from people.change_admin import ChangeSetAdmin  # noqa: F401  here it is registered
from people.erasure_admin import ErasingAdmin
from people.exports import MENTEES, MENTORS, SKILLS, TEAMS
from people.forms import TimeZoneField
from people.imports.admin import ImportAdmin  # noqa: F401  here it is registered
from people.invite_admin import InvitePage
from people.models import Mentee, Mentor, NotificationSettings, Photo, Skill, Team, User
from people.resources import MenteeResource, MentorResource, SkillResource, TeamResource
from people.sheet_admin import SheetAdmin
from people.stale import FreshAdmin, FreshForm
from people.suggestion_admin import SkillSuggestionAdmin  # noqa: F401  here it is registered

PERSON = ("first_name", "last_name", "email", "time_zone", "language", "phone_number")


def shown_photo(user: User) -> str | None:
    return format_html('<img src="{}" alt="" width="96" height="96">', user.picture.address) if user.picture else None


class LogOutAdmin:
    """The button that logs a person out everywhere. Stands before the other bases."""

    def user_of(self, row) -> User:
        return row.user

    @action(
        description="Log out everywhere",
        permissions=["log_out"],
        icon="phonelink_erase",
        variant=ActionVariant.DANGER,
        url_path="log-out",
        dialog={
            "title": "Log them out everywhere?",
            "description": "For a lost phone. All their log-ins end at once, on every device; their password and their access keys"
            " stay as they are.",
            "form_submit_text": "Log out",
        },
    )
    def log_out(self, request, form, object_id):
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        user = self.user_of(row)

        def act():
            number = sessions.end_all(user, by=request.user)
            self.log_change(request, row, f"Logged out everywhere ({number} log-in{'s' if number != 1 else ''} ended).")
            return f"{user} is logged out everywhere."

        return answer(request, act, page_of(self.opts, row.pk))

    def has_log_out_permission(self, request, object_id=None):
        if not self.has_change_permission(request):
            return False
        row = self.get_object(request, object_id) if object_id else None
        return row is None or sessions.refusal(self.user_of(row), request.user) is None


class RoleForm(FreshForm):
    """A mentor or mentee together with the person: coordinators see one thing, not two tables."""

    first_name = forms.CharField(max_length=150, widget=UnfoldAdminTextInputWidget)
    last_name = forms.CharField(max_length=150, required=False, widget=UnfoldAdminTextInputWidget)
    email = forms.EmailField(
        label="E-mail address", widget=UnfoldAdminEmailInputWidget, help_text="The key: one address is one person."
    )
    time_zone = TimeZoneField(widget=UnfoldAdminSelectWidget)
    language = forms.ChoiceField(
        required=False, choices=[("", "None chosen"), *settings.LANGUAGES], widget=UnfoldAdminSelectWidget
    )
    phone_number = PhoneNumberField(
        required=False, widget=UnfoldAdminTextInputWidget, help_text="With the country code: +12345678987."
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for name in PERSON:
                self.fields[name].initial = getattr(self.instance.user, name)

    def edited_rows(self):
        return [self.instance.user, self.instance]

    def clean(self):
        cleaned = super().clean()
        self.person = self.instance.user if self.instance.pk else self._person(cleaned.get("email", ""))
        if self.person.is_staff and "email" in cleaned and not self._may_change_address(cleaned["email"]):
            self.add_error("email", "This is the address of a coordinator's account: only a superuser can change it.")
        for name in PERSON:
            # A person who is here already keeps what the form leaves empty.
            if cleaned.get(name) or self.instance.pk:
                setattr(self.person, name, cleaned.get(name) or "")
        try:
            self.person.full_clean(exclude={"username", "password", *self.errors})
        except ValidationError as error:
            self.add_error(None, [message for messages in error.message_dict.values() for message in messages])
        return cleaned

    def _may_change_address(self, email: str) -> bool:
        """Whoever can change the address of an account can take it over by a password mail."""
        return self.by.is_superuser or self.person.email.lower() == email.lower()

    def _person(self, email: str) -> User:
        """The user with this address, who takes on the role, or a new one."""
        role = self._meta.model._meta.verbose_name
        user = User.objects.with_email(email) if email else None
        if user and getattr(user, f"is_{role}"):
            self.add_error("email", f"{user} has this address and is a {role} already.")
        return user or User()


class RoleAdmin(LogOutAdmin, ErasingAdmin, SheetAdmin, SimpleHistoryAdmin):
    """What mentors and mentees have in common here."""

    list_per_page = 50
    list_filter_submit = True
    search_fields = ("user__first_name", "user__last_name", "user__email")
    ordering = ("user__first_name", "user__last_name", "pk")
    actions = ("invite_selected",)
    actions_detail = ("invite", "log_out", "remove_photo")
    readonly_fields = ("photo",)
    warn_unsaved_form = True

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("user")

    def get_list_display(self, request):
        columns = super().get_list_display(request)
        return columns if request.user.sees_contact else ["name" if one == "person" else one for one in columns]

    def get_fieldsets(self, request, obj=None):
        """Whoever may only look has no form, and so none of its fields."""
        person, *rest = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return (person, *rest)
        contact = (("address", "phone"),) if request.user.sees_contact else ()
        return ((None, {"fields": ("photo", "name", *contact, "zone")}), *rest)

    def get_readonly_fields(self, request, obj=None):
        fields = super().get_readonly_fields(request, obj)
        looks = obj is not None and not self.has_change_permission(request, obj)
        return (*fields, "name", "address", "phone", "zone") if looks else fields

    def save_model(self, request, obj, form, change):
        if not change:
            # They may have had the role, and given it up.
            setattr(form.person, f"{self.opts.model_name}_ended_at", None)
        User.objects.enrol(form.person)
        forget_addresses(form.person)
        obj.user = form.person
        super().save_model(request, obj, form, change)

    @display(description="Name", header=True, ordering="user__first_name")
    def person(self, role):
        return str(role.user), role.user.email

    @display(description=_("Name"), ordering="user__first_name")
    def name(self, role):
        return str(role.user)

    @display(description=_("E-mail address"))
    def address(self, role):
        return role.user.email

    @display(description=_("Phone number"), empty_value="-")
    def phone(self, role):
        return role.user.phone_number or None

    @display(description="Photo", empty_value="none")
    def photo(self, role):
        return shown_photo(role.user) if role.pk else None

    @display(description="Time zone", ordering="user__time_zone")
    def zone(self, role):
        return role.user.time_zone or "the program's"

    @display(
        description="Account",
        label={
            "active": "success",
            "not yet used": "info",
            "leaves": "warning",
            "deactivated": "danger",
            "gave it up": "warning",
        },
    )
    def account(self, role):
        if not role.user.is_active:
            return "deactivated"
        if not role.takes_part:
            return "gave it up"
        if role.user.leaves_on:
            return "leaves", _("leaves on %(day)s") % {"day": date_format(role.user.leaves_on, "SHORT_DATE_FORMAT")}
        return "active" if role.user.last_login else "not yet used"

    @admin.action(description="Send an invitation to set a password", permissions=["change"])
    def invite_selected(self, request, queryset):
        return InvitePage(self.admin_site, request).look(sorted(queryset.values_list("pk", flat=True)))

    @action(
        description="Send invitation",
        permissions=["invite"],
        icon="mail",
        variant=ActionVariant.PRIMARY,
        dialog={
            "title": "Send an invitation?",
            "description": "They get a mail with a link to set a password. It works once, for three days.",
            "form_submit_text": "Send",
        },
    )
    def invite(self, request, form, object_id):
        def act():
            if not inviting.ask([int(object_id)], by=request.user):
                raise ValidationError("They have come in already, or an invitation is on its way.")
            return "The invitation is on the way."

        return answer(request, act, page_of(self.opts, object_id))

    @action(
        description="Remove photo",
        permissions=["remove_photo"],
        icon="no_photography",
        variant=ActionVariant.DANGER,
        dialog={
            "title": "Remove this photo?",
            "description": "The file is deleted, and initials are shown instead. The person can choose another one.",
            "form_submit_text": "Remove",
        },
    )
    def remove_photo(self, request, form, object_id):
        photo = get_object_or_404(Photo, pk=object_id)

        def act():
            photo.delete()
            return "The photo is removed."

        return answer(request, act, page_of(self.opts, object_id))

    def has_remove_photo_permission(self, request, object_id=None):
        if not self.has_change_permission(request):
            return False
        return object_id is None or Photo.objects.filter(pk=object_id).exists()

    def has_invite_permission(self, request, object_id=None):
        if not self.has_change_permission(request):
            return False
        return object_id is None or self.get_queryset(request).active().filter(pk=object_id).exists()


@admin.register(Mentor)
class MentorAdmin(RoleAdmin):
    form = RoleForm
    resource_classes = [MentorResource]
    sheet = MENTORS
    list_display = ("person", "zone", "knows", "account")
    list_filter = (("skills", RelatedDropdownFilter), "user__is_active")
    fieldsets = (
        (None, {"fields": ("photo", ("first_name", "last_name"), "email", ("time_zone", "language"), "phone_number")}),
        ("Mentor", {"fields": ("about_me", "skills", "meeting_link", "external_id")}),
    )
    filter_horizontal = ("skills",)

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("skills")

    @display(description="Skills")
    def knows(self, mentor):
        return ", ".join(skill.name for skill in mentor.skills.all())


@admin.register(Mentee)
class MenteeAdmin(RoleAdmin):
    form = RoleForm
    resource_classes = [MenteeResource]
    sheet = MENTEES
    list_display = ("person", "zone", "team", "account")
    list_filter = (("team", RelatedDropdownFilter), "user__is_active")
    fieldsets = (
        (None, {"fields": ("photo", ("first_name", "last_name"), "email", ("time_zone", "language"), "phone_number")}),
        ("Mentee", {"fields": ("team", "goals", "external_id")}),
    )

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("team")


@admin.register(Skill)
class SkillAdmin(SheetAdmin):
    resource_classes = [SkillResource]
    sheet = SKILLS
    list_display = ("name", "known_by")
    search_fields = ("name",)

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(mentor_count=Count("mentors"))

    @display(description="Mentors", ordering="mentor_count")
    def known_by(self, skill):
        return skill.mentor_count


@admin.register(Team)
class TeamAdmin(SheetAdmin):
    resource_classes = [TeamResource]
    sheet = TEAMS
    list_display = ("number", "name", "size")
    search_fields = ("number", "name")

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(mentee_count=Count("mentees"))

    @display(description="Mentees", ordering="mentee_count")
    def size(self, team):
        return team.mentee_count


class NotificationSettingsInline(TabularInline):
    model = NotificationSettings
    can_delete = False

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        """The heads of the columns are no labels to a screen reader."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field:
            field.widget.attrs["aria-label"] = field.label
        return field


@admin.register(User)
class UserAdmin(LogOutAdmin, ErasingAdmin, FreshAdmin, DjangoUserAdmin, ModelAdmin):
    """Accounts and their permissions: for superusers. Coordinators work with mentors and mentees."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "first_name", "last_name", "is_staff", "is_active")
    inlines = [NotificationSettingsInline]
    actions_detail = ("log_out", "erase")
    # Written by the machine: a log-in while the page is open is no edit.
    readonly_fields = ("last_login", "date_joined", "photo")
    fieldsets = (
        *DjangoUserAdmin.fieldsets[:1],
        ("Person", {"fields": ("photo", ("first_name", "last_name"), "email", ("time_zone", "language"), "phone_number")}),
        *DjangoUserAdmin.fieldsets[2:],
    )
    add_fieldsets = ((None, {"fields": ("username", "email", "usable_password", "password1", "password2")}),)

    def user_of(self, row):
        return row

    @display(description="Photo", empty_value="none")
    def photo(self, user):
        return shown_photo(user)
