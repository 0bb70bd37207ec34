from django.urls import path

from people.addresses import with_and_without_slash as both
from people.api import log_in, schema_views, views

urlpatterns = [
    path("api/", schema_views.page, name="read_by_programs"),
    path("api/schema/", schema_views.schema, name="schema"),
    *both("auth/token/login", log_in.LogIn.as_view(), "api_log_in"),
    *both("auth/token/logout", log_in.LogOut.as_view(), "api_log_out"),
    *both("auth/users", views.Account.as_view(), "api_old_account"),
    *both("myprofile", views.Profile.as_view(), "api_old_profile"),
    *both("mentee", views.Mentees.as_view(), "api_old_mentees"),
    *both("menteeinfo", views.OwnTeam.as_view(), "api_old_mentee"),
    *both("menteeinfoupdate", views.OwnTeamAlone.as_view(), "api_old_mentee_update"),
    *both("notificationsettings/<key:pk>", views.MailSettings.as_view(), "api_old_mail_settings"),
    *both("api/v1/me", views.Profile.as_view(), "api_profile"),
    *both("api/v1/mentees", views.Mentees.as_view(), "api_mentees"),
    *both("api/v1/mentees/<key:pk>", views.OneMentee.as_view(), "api_mentee"),
    *both("api/v1/notification-settings", views.OwnMailSettings.as_view(), "api_mail_settings"),
]
