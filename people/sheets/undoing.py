"""How what a sheet wrote is put back: people with their account, skills and teams. Registered in people.apps."""

from collections import defaultdict
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, models
from django.db.models.deletion import Collector
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from people import changes, privacy
from people.models import Change, Mentee, Mentor, NotificationSettings, Role, User
from people.sheets.enrolling import snapshot

PEOPLE = (User, Mentor, Mentee)
# What a person made anew has of their own: it goes with them.
THEIRS = {"NotificationSettings", "EmailAddress", "Mentor_skills", "Mentor", "Mentee", "Change"}


def put_back_role(change: Change, *, by: User) -> None:
    """A mentor or mentee as they were, with their account; who was made anew is deleted, if nothing hangs on them."""
    model = change.content_type.model_class()
    role = model.objects.select_related("user__notification_settings").filter(pk=change.key).first()
    if role is None:
        raise _gone()
    if changed := _changed(role, change):
        raise _changed_since(role.user if changed == ["user"] else role)
    if change.before is None:
        _remove(role)
        return
    before, after = change.before, change.after or {}
    changes.put_values(role, before)
    changes.put_values(role.user, before.get("user", {}))
    for row in (role.user, role):
        row._history_user = by
        row.save()
    if "switches" in before and before["switches"] != after.get("switches"):
        NotificationSettings.objects.update_or_create(user=role.user, defaults=before["switches"])
    if "skills" in before and before["skills"] != after.get("skills"):
        role.skills.set(before["skills"])


def _changed(role: Role, change: Change) -> list[str]:
    """What is not as the change left it."""
    # Sets that did not come from a sheet keep columns only.
    now, after = snapshot(role), change.after or {}
    return [name for name, value in after.items() if name in now and now[name] != value]


def remove_together(rows: list[Change]) -> set[int]:
    """Those who were made anew, and whom nobody has changed or used since, are deleted in few statements."""
    model = rows[0].content_type.model_class()
    new = {change.key: change for change in rows if change.before is None}
    roles = model.objects.select_related("user__notification_settings", "user__mentor", "user__mentee").filter(pk__in=new)
    if model is Mentor:
        roles = roles.prefetch_related("skills")
    free = {role.pk: role for role in roles if _made_for_it(role) and not _changed(role, new[role.pk])}
    for one in (model, User):
        for key in _hanging(one, list(free)):
            del free[key]
    done = {new[key].pk for key in free}
    _delete(list(free.values()))
    return done


def _made_for_it(role: Role) -> bool:
    """Whether the account was made for the role, and nobody has used it."""
    user = role.user
    others = [other for other in ("mentor", "mentee") if other != role._meta.model_name and hasattr(user, other)]
    return user.last_login is None and not user.has_usable_password() and not others and not user.is_staff


def _remove(role: Role) -> None:
    """The role, and the account if it was made for it and nobody has used it."""
    made_for_it = _made_for_it(role)
    for row in (role, role.user) if made_for_it else (role,):
        if hanging := _hanging(type(row), [row.pk]).get(row.pk):
            said = _("%(what)s hang on this person now: they stay.") % {"what": ", ".join(hanging)}
            raise ValidationError(said, code="in_use")
    if made_for_it:
        _delete([role])
    else:
        role.delete()


def _delete(roles: list[Role]) -> None:
    """These people, with their accounts and all that is kept of them elsewhere."""
    users = [role.user for role in roles]
    keys = [user.pk for user in users]
    # The roles first: the history is told of none of them.
    for rows in filter(None, (roles, users)):
        for row in rows:
            row.skip_history_when_saving = True
        collector = Collector(DEFAULT_DB_ALIAS)
        collector.collect(rows)
        collector.delete()
    for keeper in privacy.keepers():
        keeper.forget(keys)


def put_back_row(change: Change, *, by: User) -> None:
    """A skill or a team."""
    row = change.content_type.model_class().objects.filter(pk=change.key).first()
    if row is None:
        raise _gone()
    after = change.after or {}
    if changes.snapshot(row, after) != after:
        raise _changed_since(row)
    if change.before is None:
        if hanging := _hanging(type(row), [row.pk]).get(row.pk):
            raise ValidationError(_("%(what)s use it now: it stays.") % {"what": ", ".join(hanging)}, code="in_use")
        row.delete()
        return
    changes.put_values(row, change.before)
    row.save()


def _hanging(model: type[models.Model], keys: list[int]) -> dict[int, list[str]]:
    """What points at these rows and would go with them, be changed, or keep them from going: key -> ["3 sessions"]. One question
    a table.
    """
    found = defaultdict(list)
    for relation in model._meta.related_objects:
        other, name = relation.related_model, relation.field.name
        goes_on = relation.on_delete in (models.DO_NOTHING, models.SET_NULL)
        if model in PEOPLE and (goes_on or other.__name__ in THEIRS or other.__name__.startswith("Historical")):
            continue
        pointing = other._base_manager.filter(**{f"{name}__in": keys}).order_by()
        for key, count in pointing.values_list(name).annotate(models.Count("pk")):
            found[key].append(f"{count} {other._meta.verbose_name if count == 1 else other._meta.verbose_name_plural}")
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
