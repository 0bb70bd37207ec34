"""Mentors and when they can be booked; sessions."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from people.api.reading import ListOf, OneOf, OwnOf
from people.api.views import PROFILE
from people.models import Mentor
from scheduling.api import shapes
from scheduling.filters import MentorsFilter, SessionFilter, WindowFilter
from scheduling.models import Availability, Session

ARCHIVED_AFTER = timedelta(hours=24)


class Mentors(ListOf):
    """Mentors, what they know, and their windows that are not over."""

    serializer_class = shapes.MentorShape
    rows = staticmethod(shapes.mentors)
    filterset_class = MentorsFilter

    def get_queryset(self):
        return Mentor.objects.visible_to(self.request.user).order_by("pk")


class OneMentor(OneOf):
    """One mentor, what they know, and their windows that are not over."""

    serializer_class = shapes.MentorShape
    rows = staticmethod(shapes.mentors)
    get_queryset = Mentors.get_queryset


class MentorsBySkill(ListOf):
    """Mentors who have all of these skills, named with commas between, in any case."""

    serializer_class = shapes.MentorBySkillShape
    rows = staticmethod(shapes.mentors_by_skill)
    get_queryset = Mentors.get_queryset

    def filter_queryset(self, queryset):
        return queryset.who_know(self.kwargs["skills"])


class OwnMentorProfile(OwnOf):
    """The reader as a mentor, with their windows that are not over."""

    queryset = Mentor.objects.active()
    serializer_class = shapes.MentorProfileShape
    rows = staticmethod(shapes.mentor_profiles)
    done_at = PROFILE


class OwnKnowledge(OwnOf):
    """The reader as a mentor."""

    queryset = Mentor.objects.active()
    serializer_class = shapes.KnowledgeShape
    rows = staticmethod(shapes.knowledge)
    done_at = PROFILE


# ---- windows ----------------------------------------------------------------------------------------------------------

HOURS = ("windows", _("The API only reads. Mentors say on this page when they can be booked."))


class Windows(ListOf):
    """When mentors can be booked: the windows that are not over."""

    serializer_class = shapes.WindowShape
    rows = staticmethod(shapes.windows)
    filterset_class = WindowFilter
    done_at = HOURS

    def get_queryset(self):
        return Availability.objects.visible_to(self.request.user).ahead().order_by("start_time", "pk")


class OneWindow(OneOf):
    """One window that is not over."""

    serializer_class = shapes.WindowShape
    rows = staticmethod(shapes.windows)
    get_queryset = Windows.get_queryset
    done_at = HOURS


# ---- sessions ---------------------------------------------------------------------------------------------------------


class Sessions(ListOf):
    """The reader's sessions, in either role, the latest first; staff see all."""

    serializer_class = shapes.FullSessionShape
    rows = staticmethod(shapes.full_sessions)
    filterset_class = SessionFilter

    def get_queryset(self):
        return Session.objects.visible_to(self.request.user)


class SessionsAhead(Sessions):
    """The reader's sessions that are not over, in either role, the next first; staff see all."""

    serializer_class = shapes.SessionShape
    rows = staticmethod(shapes.sessions)

    def get_queryset(self):
        return super().get_queryset().ahead().order_by("start_time", "pk")


class ArchivedSessions(Sessions):
    """The reader's sessions that began more than 24 hours ago, in either role, the latest first; staff see all."""

    serializer_class = shapes.SessionOfTwoShape
    rows = staticmethod(shapes.sessions_of_two)

    def get_queryset(self):
        return super().get_queryset().filter(start_time__lt=timezone.now() - ARCHIVED_AFTER)


class SessionRequests(Sessions):
    """The reader's requests that wait for an answer, in either role, the next first; staff see all."""

    serializer_class = shapes.SessionOfTwoShape
    rows = staticmethod(shapes.sessions_of_two)
    done_at = ("mentors", _("The API only reads. Mentees find a mentor on this page, and book there."))

    def get_queryset(self):
        return super().get_queryset().waiting().order_by("start_time", "pk")


class OneSession(OneOf):
    """One of the reader's sessions, in either role; staff see all."""

    serializer_class = shapes.FullSessionShape
    rows = staticmethod(shapes.full_sessions)
    get_queryset = Sessions.get_queryset
    done_at = ("session", _("The API only reads. A session is answered, moved and canceled on its page."))
    done_with_key = True


class OneSessionRequest(OneSession):
    serializer_class = shapes.SessionShape
    rows = staticmethod(shapes.sessions)
