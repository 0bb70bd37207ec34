from django.urls import register_converter
from django.urls.converters import StringConverter

from people.addresses import with_and_without_slash as both
from scheduling.api import views


class SkillsConverter(StringConverter):
    """Names of skills, "CI/CD" among them. PostgreSQL would not even look for one with NUL in it."""

    regex = r"[^\0]+?"


register_converter(SkillsConverter, "skills")

urlpatterns = [
    *both("mentor", views.Mentors.as_view(), "api_old_mentors"),
    *both("mentor/<skills:skills>", views.MentorsBySkill.as_view(), "api_old_mentors_by_skill"),
    *both("mentorinfo", views.OwnMentorProfile.as_view(), "api_old_mentor"),
    *both("mentorinfoupdate", views.OwnKnowledge.as_view(), "api_old_mentor_update"),
    # As the document spells it, and as the dictionary does.
    *both("availabilty", views.Windows.as_view(), "api_old_windows"),
    *both("availabilty/<key:pk>", views.OneWindow.as_view(), "api_old_window"),
    *both("availability", views.Windows.as_view(), "api_old_windows_too"),
    *both("availability/<key:pk>", views.OneWindow.as_view(), "api_old_window_too"),
    *both("session", views.SessionsAhead.as_view(), "api_old_sessions"),
    *both("archivesession", views.ArchivedSessions.as_view(), "api_old_archive"),
    *both("sessionrequest", views.SessionRequests.as_view(), "api_old_requests"),
    *both("sessionrequest/<key:pk>", views.OneSessionRequest.as_view(), "api_old_request"),
    *both("api/v1/mentors", views.Mentors.as_view(), "api_mentors"),
    *both("api/v1/mentors/<key:pk>", views.OneMentor.as_view(), "api_mentor"),
    *both("api/v1/availability", views.Windows.as_view(), "api_windows"),
    *both("api/v1/availability/<key:pk>", views.OneWindow.as_view(), "api_window"),
    *both("api/v1/sessions", views.Sessions.as_view(), "api_sessions"),
    *both("api/v1/sessions/<key:pk>", views.OneSession.as_view(), "api_session"),
]
