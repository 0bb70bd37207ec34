"""The sheets of people: mentors, mentees, skills, teams. The e-mail address is the key, whatever its case."""

from django.core.exceptions import ValidationError
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from people import changes
from people.accounts import forget_addresses
from people.exports import MENTEES, MENTORS, SKILLS, TEAMS
from people.models import Mentee, Mentor, NotificationSettings, Role, Skill, Team, User
from people.sheets import enrolling
from people.sheets.cells import Cell, Phone, Text, YesNo, Zone, address, split_name, tidy
from people.sheets.names import NUMBERED, Names, Skills, TeamNumber
from people.sheets.resource import SheetResource

# So many addresses in one question to the database.
ASKED_TOGETHER = 1_000


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
    time_zone = Cell("user__time_zone", "time_zone", widget=Zone())
    phone_number = Cell("user__phone_number", "phone_number", widget=Phone())
    opt_in_notifications = OptIn("opt_in", "opt_in_notifications", widget=YesNo())
    external_id = Cell("external_id")

    columns = {
        "email": (
            "email",
            "e-mail address",
            "email address",
            "contact_email",
            "mail",
            "email_id",
            "primary email",
            "e-mail",
            "e-mail-adresse",
            "mailadresse",
            "courriel",
            "correo electrónico",
        ),
        "first_name": ("first_name", "given name", "forename", "firstname", "vorname", "prénom", "nombre"),
        "last_name": (
            "last_name",
            "surname",
            "family name",
            "lastname",
            "nachname",
            "familienname",
            "nom",
            "apellidos",
            "apellido",
        ),
        "name": (
            "name",
            "full name",
            "full_name",
            "contact name",
            "person",
            "student name",
            "mentor name",
            "mentee name",
            "vor- und nachname",
            "nombre completo",
        ),
        "time_zone": ("time_zone", "timezone", "zone", "tz", "zeitzone"),
        "phone_number": (
            "phone_number",
            "phone",
            "mobile",
            "telephone",
            "cell",
            "contact number",
            "telefon",
            "telefonnummer",
            "handynummer",
            "téléphone",
        ),
        "opt_in_notifications": ("opt_in_notifications", "notifications", "opt in", "benachrichtigungen"),
    }
    labels = {
        "email": gettext_lazy("E-mail address"),
        "name": gettext_lazy("Full name"),
        "opt_in_notifications": gettext_lazy("Wants notifications"),
        "external_id": gettext_lazy("Roster key"),
    }
    needed = (("email",), ("name", "first_name", "last_name"))
    key = ("email", "address")
    merges = True
    clearable = ("last_name", "time_zone", "phone_number", "external_id")

    class Meta:
        import_id_fields = ("email",)
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True
        # One transaction for the sheet: all of it, or nothing.
        use_transactions = True
        use_bulk = True
        skip_diff = True
        batch_size = 1000

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.users: dict[str, User] = {}
        # Roster key -> the address of whose it is.
        self.keys: dict[str, str] = {}

    def get_queryset(self):
        return super().get_queryset().select_related("user__notification_settings").order_by("user__email")

    @classmethod
    def read_key(cls, cell):
        return address(cell) if isinstance(cell, str) else cell

    @property
    def role(self) -> str:
        return self._meta.model._meta.model_name

    def prepare(self, dataset):
        headers = dataset.headers
        emails = sorted({str(cell or "").strip().lower() for cell in dataset["email"]} if "email" in headers else ())
        keys = sorted({str(cell or "").strip() for cell in dataset["external_id"]} - {""} if "external_id" in headers else ())
        self.users = {}
        for part in _parts(emails):
            found = User.objects.annotate(lower_email=Lower("email")).filter(lower_email__in=part)
            self.users |= {user.email.lower(): user for user in self.with_role(found)}
        for part in _parts(keys):
            taken = self._meta.model.objects.filter(external_id__in=part).values_list("external_id", "user__email")
            self.keys |= {key: email.lower() for key, email in taken}

    def remember(self, columns, entries):
        """Not the addresses: merged, each is there once."""
        self.remember_stamps(columns, entries)
        if {"external_id", "email"} <= set(columns):
            key, email = columns.index("external_id"), columns.index("email")
            self.keys |= {tidy(entry.cells[key]): tidy(entry.cells[email]).lower() for entry in entries}

    def with_role(self, users):
        return users.select_related("notification_settings", self.role)

    def read_row(self, row):
        self.require(row, "email", why="An e-mail address is needed: it is how people are told apart.")
        if "email" in row:
            row["email"] = str(row["email"]).lower()
            if row["email"].count("@") > 1:
                raise ValidationError({"email": _("There are several addresses in this cell: leave one.")})
        if "name" in row and "first_name" not in row and "last_name" not in row:
            name, user = " ".join(str(row["name"]).split()), self.users.get(row.get("email"))
            # Where the name is the same, how it was split stays.
            if not (user and user.get_full_name() == name):
                row["first_name"], row["last_name"] = split_name(name)

    def get_instance(self, instance_loader, row):
        return getattr(self.users.get(row["email"]), self.role, None)

    def init_instance(self, row=None):
        return self._meta.model(user=self.users.get(row["email"]) or User())

    def validate_instance(self, instance, import_validation_errors=None, validate_unique=True):
        """Without asking the database: the address is the key, and whose roster keys these are is known."""
        errors = dict(import_validation_errors or {})
        role = self._meta.model._meta.model_name
        if not instance._state.adding and (since := getattr(instance.user, f"{role}_ended_at")):
            # A roster of last month must not undo what the person wished.
            ended = _("%(person)s gave up being a %(role)s on %(day)s. Leave the row out, or add them by hand first.")
            said = {"person": instance.user, "role": role, "day": date_format(timezone.localdate(since))}
            errors["email"] = ValidationError(ended % said, code="ended")
        for part, left_out in ((instance.user, {"username", "password"}), (instance, {"user"})):
            try:
                part.full_clean(exclude=left_out | errors.keys(), validate_unique=False, validate_constraints=False)
            except ValidationError as error:
                errors = error.update_error_dict(errors)
        if "phone_number" in errors and "phone_number" not in (import_validation_errors or {}):
            errors["phone_number"] = [_not_a_phone(instance.user.phone_number)]
        if no := self._address_refusal(instance):
            errors.setdefault("email", [no])
        if instance.external_id:
            # By the address from before: that is how whose key it is was asked.
            before = instance.sheet_before or {"user": {"email": instance.user.email}}
            email = before["user"]["email"].lower()
            if self.keys.setdefault(instance.external_id, email) != email:
                errors["external_id"] = [ValidationError(Role._meta.constraints[0].violation_error_message, code="unique")]
        if errors:
            raise ValidationError(errors)

    def _address_refusal(self, role: Role) -> ValidationError | None:
        """A row that came back may bring another address: not somebody's, and whoever can change an account's can take it over."""
        user = role.user
        if role.sheet_before is None or user.email.lower() == role.sheet_before["user"]["email"].lower():
            return None
        if self.users.get(user.email.lower()) not in (None, user):
            return ValidationError(_("Somebody already has this e-mail address."), code="unique")
        if user.is_staff and not (self.by and self.by.is_superuser):
            sentence = _("This is the address of a coordinator's account: only a superuser can change it.")
            return ValidationError(sentence, code="not_yours")
        return None

    def save_instance(self, instance, is_create, row, **kwargs):
        """All of them together, when enough have come (`bulk_create`)."""
        self.create_instances.append(instance)

    def bulk_create(self, using_transactions, dry_run, raise_errors, batch_size=None, result=None):
        roles, self.create_instances = self.create_instances, []
        if roles and not dry_run:
            made = enrolling.write(roles, by=self.by)
            for role in roles:
                if role.sheet_before and role.sheet_before["user"]["email"] != role.user.email:
                    forget_addresses(role.user)
            # Before those who are in it or know it: undone, it goes after them.
            columns = {Skill: ["name"], Team: ["number", "name"]}
            self.touched += [(row, None, changes.snapshot(row, columns[type(row)])) for row in made]
            self.touched += [(role, role.sheet_before, self.snapshot(role)) for role in roles]

    def bulk_update(self, *args, **kwargs):
        """`bulk_create` has written the changed ones, too."""

    def snapshot(self, role):
        return enrolling.snapshot(role)


class MentorResource(RoleResource):
    about_me = Cell("about_me")
    meeting_link = Cell("meeting_link")
    skills = Skills("known", "skills", widget=Names())

    columns = RoleResource.columns | {
        "external_id": ("external_id", "mentor_id", "roster key"),
        "about_me": ("about_me", "about", "bio", "notes", "biography", "description", "über mich", "about yourself"),
        "skills": (
            "skills",
            "skill",
            "areas_of_expertise",
            "tech_stack",
            "expertise",
            "topics",
            "technologies",
            "fähigkeiten",
            "kenntnisse",
        ),
        "meeting_link": ("meeting_link", "meet_link", "meeting room"),
    }
    sheet = MENTORS
    others = frozenset({"mentee", "mentees", "student", "students"})
    joined = ("skills",)
    clearable = (*RoleResource.clearable, "about_me", "meeting_link", "skills")

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

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        widget = self.fields["skills"].widget
        widget.make, widget.unknown = self.make, self.unknown

    @classmethod
    def listed_names(cls):
        return {name.lower() for name in Skill.objects.values_list("name", flat=True)}

    def get_queryset(self):
        return super().get_queryset().prefetch_related("skills")

    def with_role(self, users):
        return super().with_role(users).prefetch_related("mentor__skills")

    def prepare(self, dataset):
        super().prepare(dataset)
        self.fields["skills"].widget.known = {skill.name.lower(): skill for skill in Skill.objects.all()}


class MenteeResource(RoleResource):
    team_number = Cell("team", "team_number", widget=TeamNumber())
    goals = Cell("goals")

    columns = RoleResource.columns | {
        "external_id": ("external_id", "student_id", "mentee_id", "roster key"),
        "team_number": ("team_number", "team", "group", "team no"),
        "goals": ("goals", "goal", "objectives", "what do you want to reach", "ziele"),
    }
    sheet = MENTEES
    others = frozenset({"mentor", "mentors", "tutor", "coach"})
    labels = RoleResource.labels | {"team_number": gettext_lazy("Team")}
    clearable = (*RoleResource.clearable, "team_number", "goals")

    class Meta(RoleResource.Meta):
        model = Mentee
        fields = (
            "email",
            "first_name",
            "last_name",
            "time_zone",
            "phone_number",
            "team_number",
            "goals",
            "opt_in_notifications",
            "external_id",
        )

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        widget = self.fields["team_number"].widget
        widget.make, widget.unknown = self.make, self.unknown

    def get_queryset(self):
        return super().get_queryset().select_related("team")

    def with_role(self, users):
        return super().with_role(users).select_related("notification_settings", "mentee__team")

    def prepare(self, dataset):
        super().prepare(dataset)
        self.fields["team_number"].widget.known = {team.number: team for team in Team.objects.all()}


class SkillResource(SheetResource):
    sheet = SKILLS
    columns = {"name": ("name", "skill", "skills", "skill name")}
    needed = (("name",),)
    key = ("name", "name")
    merges = True

    class Meta:
        model = Skill
        fields = ("name",)
        import_id_fields = ("name",)
        skip_unchanged = report_skipped = clean_model_instances = use_transactions = skip_diff = True

    def get_instance(self, instance_loader, row):
        return Skill.objects.filter(name__iexact=row.get("name", "")).first()


class Number(Text):
    def clean(self, value, row=None, **kwargs):
        found = NUMBERED.fullmatch(str(value).strip())
        if not found or found["name"].strip() or "-" in str(value)[:1]:
            raise ValidationError(f"“{value}” is no number of a team. Write it like 4.", code="not_a_number")
        return int(found["number"])

    def render(self, value, obj=None, **kwargs):
        return "" if value is None else str(value)


class TeamResource(SheetResource):
    number = Cell("number", widget=Number())

    sheet = TEAMS
    columns = {"number": ("number", "team_number", "team", "team no"), "name": ("name", "team name")}
    needed = (("number",),)
    key = ("number", "number")
    merges = True
    clearable = ("name",)

    class Meta:
        model = Team
        fields = ("number", "name")
        import_id_fields = ("number",)
        skip_unchanged = report_skipped = clean_model_instances = use_transactions = skip_diff = True

    def get_instance(self, instance_loader, row):
        return Team.objects.filter(number=self.cleaned(row, "number")).first() if "number" in row else None


def _not_a_phone(number) -> ValidationError:
    return ValidationError(
        _(
            "“%(number)s” is not a phone number we know. Write it with its country, like +49 151 23456789, in a cell that is"
            " formatted as text."
        )
        % {"number": number},
        code="phone",
    )


def _parts(words: list[str]) -> list[list[str]]:
    return [words[first : first + ASKED_TOGETHER] for first in range(0, len(words), ASKED_TOGETHER)]
