"""What is told of people: each shape as the schema describes it, and the rows that have it. Keys in the document's order."""

from django.conf import settings
from django.db.models import QuerySet
from rest_framework import serializers

from people.models import NotificationSettings, Photo


class ProfileShape(serializers.Serializer):
    pk = serializers.IntegerField()
    username = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    email = serializers.EmailField()
    phone_number = serializers.CharField(allow_null=True)
    profile_photo = serializers.URLField(allow_null=True, help_text="Opens in the browser of somebody who is logged in.")
    is_mentor = serializers.BooleanField()
    is_mentee = serializers.BooleanField()
    is_active = serializers.BooleanField()


def profiles(users: QuerySet) -> list[dict]:
    names = (
        "pk",
        "username",
        "first_name",
        "last_name",
        "email",
        "phone_number",
        "photo__file",
        "mentor",
        "mentor_ended_at",
        "mentee",
        "mentee_ended_at",
        "is_active",
    )
    return [
        {
            "pk": pk,
            "username": username,
            "first_name": first_name,
            "last_name": last_name,
            "email": email,
            "phone_number": str(phone) if phone else None,
            "profile_photo": settings.SITE_URL + Photo(user_id=pk, file=photo).address if photo else None,
            "is_mentor": mentor is not None and mentor_ended is None,
            "is_mentee": mentee is not None and mentee_ended is None,
            "is_active": active,
        }
        for pk, username, first_name, last_name, email, phone, photo, mentor, mentor_ended, mentee, mentee_ended, active in (
            users.values_list(*names)
        )
    ]


class AccountShape(serializers.Serializer):
    email = serializers.EmailField()
    username = serializers.CharField()
    id = serializers.IntegerField()


def accounts(users: QuerySet) -> list[dict]:
    return list(users.values("email", "username", "id"))


class MenteeProfileShape(serializers.Serializer):
    team_number = serializers.IntegerField(allow_null=True)


class MenteeShape(serializers.Serializer):
    pk = serializers.IntegerField()
    username = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    is_mentee = serializers.BooleanField()
    mentee_profile = MenteeProfileShape()


def mentees(found: QuerySet) -> list[dict]:
    names = ("pk", "user__username", "user__first_name", "user__last_name", "team__number")
    return [
        {
            "pk": pk,
            "username": username,
            "first_name": first_name,
            "last_name": last_name,
            "is_mentee": True,
            "mentee_profile": {"team_number": team},
        }
        for pk, username, first_name, last_name, team in found.values_list(*names)
    ]


def teams(found: QuerySet) -> list[dict]:
    """Of mentees, their teams only."""
    return [{"team_number": number} for number in found.values_list("team__number", flat=True)]


class NotificationSettingsShape(serializers.Serializer):
    pk = serializers.IntegerField(allow_null=True, help_text="Null where nothing was chosen yet.")
    user = serializers.IntegerField()

    def get_fields(self) -> dict:
        names = {name: NotificationSettings._meta.get_field(name).verbose_name for name in NotificationSettings.SWITCHES}
        return super().get_fields() | {
            name: serializers.BooleanField(help_text=f"Mails when: {when}.") for name, when in names.items()
        }


def notification_settings(found: QuerySet) -> list[dict]:
    return list(found.values("pk", "user", *NotificationSettings.SWITCHES))
