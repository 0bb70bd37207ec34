"""The sheets of people: mentors, mentees, skills, teams. The e-mail address is the key, whatever its case."""

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from people.models import Mentee, Mentor, NotificationSettings, Skill, Team, User
from people.sheets.cells import Cell, KnownNames, Text, YesNo, split_name
from people.sheets.resource import SheetResource


class OptIn(Cell):
    """One column for all five switches: what rosters have."""

    def get_value(self, instance):
        if "opt_in" in instance.__dict__:
            return instance.opt_in
        settings = getattr(instance.user, "notification_settings", None)
        return settings is None or any(getattr(settings, switch) for switch in NotificationSettings.SWITCHES)

    def save(self, instance, row, is_m2m=False, **kwargs):
        instance.opt_in = self.clean(row, **kwargs)


class RoleResource(SheetResource):
    """A sheet of mentors or mentees. A row is a person: an account is made where there is none, without a password."""

    email = Cell("user__email", "email")
    first_name = Cell("user__first_name", "first_name")
    last_name = Cell("user__last_name", "last_name")
    time_zone = Cell("user__time_zone", "time_zone")
    phone_number = Cell("user__phone_number", "phone_number")
    opt_in_notifications = OptIn("opt_in", "opt_in_notifications", widget=YesNo())
    external_id = Cell("external_id")

    columns = {
        "email": ("email", "e-mail address", "email address", "contact_email"),
        "first_name": ("first_name", "given name", "forename"),
        "last_name": ("last_name", "surname", "family name"),
        "name": ("name", "full name"),
        "time_zone": ("time_zone", "timezone", "zone"),
        "phone_number": ("phone_number", "phone", "mobile"),
        "opt_in_notifications": ("opt_in_notifications", "notifications"),
    }
    needed = (("email",), ("name", "first_name", "last_name"))
    key = ("email", "address")

    class Meta:
        import_id_fields = ("email",)
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True
        # One transaction for the sheet: all of it, or nothing.
        use_transactions = True

    def get_queryset(self):
        return super().get_queryset().select_related("user__notification_settings").order_by("user__email")

    def read_row(self, row):
        if "email" not in row:
            raise ValidationError({"email": "An e-mail address is needed: it is how people are told apart."})
        row["email"] = str(row["email"]).lower()
        if "name" in row and "first_name" not in row and "last_name" not in row:
            row["first_name"], row["last_name"] = split_name(str(row["name"]))

    def get_instance(self, instance_loader, row):
        return self._meta.model.objects.with_email(row["email"])

    def init_instance(self, row=None):
        user = User.objects.with_email(row["email"]) or User()
        return self._meta.model(user=user)

    def validate_instance(self, instance, import_validation_errors=None, validate_unique=True):
        errors = dict(import_validation_errors or {})
        role = self._meta.model._meta.model_name
        if not instance._state.adding and (since := getattr(instance.user, f"{role}_ended_at")):
            # A roster of last month must not undo what the person wished.
            ended = _("%(person)s gave up being a %(role)s on %(day)s. Leave the row out, or add them by hand first.")
            said = {"person": instance.user, "role": role, "day": date_format(timezone.localdate(since))}
            errors["email"] = ValidationError(ended % said, code="ended")
        for part, left_out in ((instance.user, {"username", "password"}), (instance, {"user"})):
            try:
                part.full_clean(exclude=left_out | errors.keys(), validate_unique=validate_unique)
            except ValidationError as error:
                errors = error.update_error_dict(errors)
        if errors:
            raise ValidationError(errors)

    def do_instance_save(self, instance, is_create):
        User.objects.enrol(instance.user)
        # Again, now that the user has a key: it is the role's key.
        instance.user = instance.user
        instance.save()
        if "opt_in" in instance.__dict__:
            NotificationSettings.set_all(instance.user, instance.opt_in)


class MentorResource(RoleResource):
    about_me = Cell("about_me")
    meeting_link = Cell("meeting_link")
    skills = Cell("skills", widget=KnownNames(Skill))

    columns = RoleResource.columns | {
        "external_id": ("external_id", "mentor_id", "roster key"),
        "about_me": ("about_me", "about", "bio", "notes"),
        "skills": ("skills", "skill", "areas_of_expertise", "tech_stack"),
        "meeting_link": ("meeting_link", "meet_link", "meeting room"),
    }

    class Meta(RoleResource.Meta):
        model = Mentor
        fields = (
            "email",
            "first_name",
            "last_name",
            "time_zone",
            "phone_number",
            "about_me",
            "skills",
            "meeting_link",
            "opt_in_notifications",
            "external_id",
        )

    def get_queryset(self):
        return super().get_queryset().prefetch_related("skills")


class TeamNumber(Text):
    def clean(self, value, row=None, **kwargs):
        text = str(value).strip()
        team = Team.objects.filter(number=int(float(text))).first() if text.replace(".0", "").isdigit() else None
        if team is None:
            raise ValidationError(
                f"There is no team “{value}”. Add it to the list first, or correct the cell.", code="unknown_name"
            )
        return team

    def render(self, value, obj=None, **kwargs):
        return str(value.number) if value else ""


class MenteeResource(RoleResource):
    team_number = Cell("team", "team_number", widget=TeamNumber())

    columns = RoleResource.columns | {
        "external_id": ("external_id", "student_id", "mentee_id", "roster key"),
        "team_number": ("team_number", "team"),
    }

    class Meta(RoleResource.Meta):
        model = Mentee
        fields = (
            "email",
            "first_name",
            "last_name",
            "time_zone",
            "phone_number",
            "team_number",
            "opt_in_notifications",
            "external_id",
        )

    def get_queryset(self):
        return super().get_queryset().select_related("team")


class SkillResource(SheetResource):
    columns = {"name": ("name", "skill")}
    needed = (("name",),)

    class Meta:
        model = Skill
        fields = ("name",)
        import_id_fields = ("name",)
        skip_unchanged = report_skipped = clean_model_instances = use_transactions = True

    def get_instance(self, instance_loader, row):
        return Skill.objects.filter(name__iexact=row.get("name", "")).first()


class TeamResource(SheetResource):
    columns = {"number": ("number", "team_number", "team"), "name": ("name", "team name")}
    needed = (("number",),)

    class Meta:
        model = Team
        fields = ("number", "name")
        import_id_fields = ("number",)
        skip_unchanged = report_skipped = clean_model_instances = use_transactions = True
