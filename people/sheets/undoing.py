"""How what a sheet wrote is put back: people with their account, skills and teams. Registered in people.apps."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from people import changes
from people.models import Change, Mentor, NotificationSettings, Role, User
from people.sheets.enrolling import snapshot

# What a person made anew has of their own: it goes with them.
THEIRS = {"NotificationSettings", "EmailAddress", "Mentor_skills", "Mentor", "Mentee", "Change"}


def put_back_role(change: Change, *, by: User) -> None:
    """A mentor or mentee as they were, with their account; who was made anew is deleted, if nothing hangs on them."""
    model = change.content_type.model_class()
    role = model.objects.select_related("user__notification_settings").filter(pk=change.key).first()
    if role is None:
        raise _gone()
    # Sets that did not come from a sheet keep columns only.
    now, after = snapshot(role), change.after or {}
    if changed := [name for name, value in after.items() if name in now and now[name] != value]:
        raise _changed_since(role.user if changed == ["user"] else role)
    if change.before is None:
        _remove(role)
        return
    before = change.before
    changes.put_values(role, before)
    changes.put_values(role.user, before.get("user", {}))
    for row in (role.user, role):
        row._history_user = by
        row.save()
    if "switches" in before and before["switches"] != after.get("switches"):
        NotificationSettings.objects.update_or_create(user=role.user, defaults=before["switches"])
    if "skills" in before and before["skills"] != after.get("skills"):
        role.skills.set(before["skills"])


def _remove(role: Role) -> None:
    """The role, and the account if it was made for it and nobody has used it."""
    user = role.user
    if hanging := _hanging(role):
        raise ValidationError(_("%(what)s hang on this person now: they stay.") % {"what": ", ".join(hanging)}, code="in_use")
    others = [other for other in ("mentor", "mentee") if other != role._meta.model_name and hasattr(user, other)]
    made_for_it = user.last_login is None and not user.has_usable_password() and not others and not user.is_staff
    if made_for_it and not (there := _hanging(user)):
        user.delete()
    elif made_for_it:
        raise ValidationError(_("%(what)s hang on this person now: they stay.") % {"what": ", ".join(there)}, code="in_use")
    else:
        role.delete()


def put_back_row(change: Change, *, by: User) -> None:
    """A skill or a team."""
    row = change.content_type.model_class().objects.filter(pk=change.key).first()
    if row is None:
        raise _gone()
    after = change.after or {}
    if changes.snapshot(row, after) != after:
        raise _changed_since(row)
    if change.before is None:
        if hanging := _hanging(row):
            raise ValidationError(_("%(what)s use it now: it stays.") % {"what": ", ".join(hanging)}, code="in_use")
        row.delete()
        return
    changes.put_values(row, change.before)
    row.save()


def _hanging(row: models.Model) -> list[str]:
    """What points at a row and would go with it, or keeps it from going: "3 sessions"."""
    found = []
    for relation in row._meta.related_objects:
        model = relation.related_model
        if model.__name__ in THEIRS and not (model.__name__ == "Mentor_skills" and not isinstance(row, Mentor)):
            continue
        if relation.on_delete in (models.DO_NOTHING, models.SET_NULL) or model.__name__.startswith("Historical"):
            continue
        count = model._base_manager.filter(**{relation.field.name: row.pk}).count()
        if count:
            found.append(f"{count} {model._meta.verbose_name if count == 1 else model._meta.verbose_name_plural}")
    return found


def named_people(keys: list[int]) -> dict[int, str]:
    return {user.pk: str(user) for user in User.objects.filter(pk__in=keys)}


def named_by(model: type[models.Model]):
    """Names of rows by their keys, for the page of a set."""
    return lambda keys: {row.pk: str(row) for row in model.objects.filter(pk__in=keys)}


def lock_people(found: Iterable[Change]) -> None:
    """In one order, before any of them is touched."""
    list(User.objects.select_for_update(no_key=True).filter(pk__in=[change.key for change in found]).order_by("pk"))


def _gone() -> ValidationError:
    return ValidationError(_("It is not here any more."), code="gone")


def _changed_since(row: models.Model) -> ValidationError:
    last = row.history.select_related("history_user").first() if hasattr(row, "history") else None
    if last is None:
        return ValidationError(_("It was changed since."), code="changed")
    who = last.history_user or _("somebody")
    when = date_format(localtime(last.history_date), "DATETIME_FORMAT")
    return ValidationError(_("It was changed since, by %(who)s, %(when)s.") % {"who": who, "when": when}, code="changed")
