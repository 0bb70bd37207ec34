"""What is told of mentors with their time, and of sessions: each shape as the schema describes it, and the rows that have it."""

from collections import defaultdict

from django.db.models import QuerySet
from rest_framework import serializers

from people.models import Mentor
from scheduling.models import Availability
from scheduling.querysets import moment
from scheduling.words import Status


class WindowShape(serializers.Serializer):
    pk = serializers.IntegerField()
    mentor = serializers.IntegerField()
    start_time = serializers.DateTimeField()
    end_time = serializers.DateTimeField()


def windows(found: QuerySet) -> list[dict]:
    return [
        {"pk": pk, "mentor": mentor, "start_time": moment(start), "end_time": moment(end)}
        for pk, mentor, start, end in found.timed("pk", "mentor_id")
    ]


# ---- mentors ----------------------------------------------------------------------------------------------------------


class KnowledgeShape(serializers.Serializer):
    about_me = serializers.CharField()
    skills = serializers.ListField(child=serializers.CharField())


class MentorBySkillShape(KnowledgeShape):
    pk = serializers.IntegerField()


class MentorProfileShape(KnowledgeShape):
    availabilities = WindowShape(many=True)


class MentorShape(serializers.Serializer):
    pk = serializers.IntegerField()
    username = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    is_mentor = serializers.BooleanField()
    mentor_profile = MentorProfileShape()


def mentors(found: QuerySet) -> list[dict]:
    skills, offered = _skills(found), _windows(found)
    names = ("pk", "user__username", "user__first_name", "user__last_name", "about_me")
    return [
        {
            "pk": pk,
            "username": username,
            "first_name": first_name,
            "last_name": last_name,
            "is_mentor": True,
            "mentor_profile": {"about_me": about, "skills": skills[pk], "availabilities": offered[pk]},
        }
        for pk, username, first_name, last_name, about in found.values_list(*names)
    ]


def mentors_by_skill(found: QuerySet) -> list[dict]:
    skills = _skills(found)
    return [{"pk": pk, "about_me": about, "skills": skills[pk]} for pk, about in found.values_list("pk", "about_me")]


def knowledge(found: QuerySet) -> list[dict]:
    skills = _skills(found)
    return [{"about_me": about, "skills": skills[pk]} for pk, about in found.values_list("pk", "about_me")]


def mentor_profiles(found: QuerySet) -> list[dict]:
    skills, offered = _skills(found), _windows(found)
    return [
        {"about_me": about, "skills": skills[pk], "availabilities": offered[pk]}
        for pk, about in found.values_list("pk", "about_me")
    ]


def _skills(found: QuerySet) -> defaultdict[int, list[str]]:
    """Mentor -> the names of what they know."""
    skills = defaultdict(list)
    known = Mentor.skills.through.objects.filter(mentor__in=found.values("pk"))
    for mentor, name in known.order_by("skill__name").values_list("mentor_id", "skill__name"):
        skills[mentor].append(name)
    return skills


def _windows(found: QuerySet) -> defaultdict[int, list[dict]]:
    """Mentor -> their windows that are not over."""
    offered = defaultdict(list)
    for window in windows(Availability.objects.filter(mentor__in=found.values("pk")).ahead()):
        offered[window["mentor"]].append(window)
    return offered


# ---- sessions ---------------------------------------------------------------------------------------------------------


class SessionShape(serializers.Serializer):
    pk = serializers.IntegerField()
    mentor_first_name = serializers.CharField()
    mentor_last_name = serializers.CharField()
    mentor_availability = serializers.IntegerField(allow_null=True, help_text="Null where it lies in no window any more.")
    mentee = serializers.IntegerField()
    start_time = serializers.DateTimeField()
    end_time = serializers.DateTimeField()
    status = serializers.ChoiceField(choices=Status.choices)
    session_length = serializers.IntegerField(help_text="In minutes.")


class SessionOfTwoShape(SessionShape):
    mentee_first_name = serializers.CharField()
    mentee_last_name = serializers.CharField()


class FullSessionShape(SessionOfTwoShape):
    """With the mentor's key, which the document's tables have and its samples have not."""

    mentor = serializers.IntegerField()


# Key -> where it stands.
FIELDS = {
    "pk": "pk",
    "mentor": "mentor_id",
    "mentor_first_name": "mentor__user__first_name",
    "mentor_last_name": "mentor__user__last_name",
    "mentor_availability": "availability_id",
    "mentee": "mentee_id",
    "mentee_first_name": "mentee__user__first_name",
    "mentee_last_name": "mentee__user__last_name",
}


def full_sessions(found: QuerySet, without: tuple[str, ...] = ()) -> list[dict]:
    keys = [key for key in FIELDS if key not in without]
    rows = []
    for *told, status, start, end in found.timed(*(FIELDS[key] for key in keys), "status"):
        start, end = moment(start), moment(end)
        minutes = int((end - start).total_seconds()) // 60
        row = dict(zip(keys, told, strict=True))
        rows.append(row | {"start_time": start, "end_time": end, "status": status, "session_length": minutes})
    return rows


def sessions_of_two(found: QuerySet) -> list[dict]:
    return full_sessions(found, without=("mentor",))


def sessions(found: QuerySet) -> list[dict]:
    return full_sessions(found, without=("mentor", "mentee_first_name", "mentee_last_name"))
