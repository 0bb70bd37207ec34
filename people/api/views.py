"""Accounts, mentees, and who wants which mails."""

from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import SAFE_METHODS
from rest_framework.response import Response

from people.api import shapes
from people.api.reading import ListOf, OneOf, OwnOf
from people.filters import MenteeFilter
from people.models import Mentee, NotificationSettings, User

PROFILE = ("profile", _("The API only reads. People change their profile on this page."))


class Profile(OwnOf):
    """The reader's own profile."""

    queryset = User.objects.all()
    serializer_class = shapes.ProfileShape
    rows = staticmethod(shapes.profiles)
    done_at = PROFILE


class Account(OwnOf):
    """The reader's own account."""

    queryset = User.objects.all()
    serializer_class = shapes.AccountShape
    rows = staticmethod(shapes.accounts)
    done_at = ("account_signup", _("The API only reads. People sign up on this page."))

    def get_permissions(self):
        # Who wants to sign up has nothing to log in with yet.
        return super().get_permissions() if self.request.method in SAFE_METHODS else []


class Mentees(ListOf):
    """Mentees, for mentors and staff; mentees see themselves."""

    serializer_class = shapes.MenteeShape
    rows = staticmethod(shapes.mentees)
    filterset_class = MenteeFilter

    def get_queryset(self):
        return Mentee.objects.visible_to(self.request.user).order_by("pk")


class OneMentee(OneOf):
    """One mentee, for mentors and staff; mentees see themselves."""

    serializer_class = shapes.MenteeShape
    rows = staticmethod(shapes.mentees)
    get_queryset = Mentees.get_queryset


class OwnTeam(ListOf):
    """The reader as a mentee: a list of one, as documented, or an empty one for whoever is none."""

    serializer_class = shapes.MenteeProfileShape
    rows = staticmethod(shapes.teams)
    done_at = PROFILE

    def get_queryset(self):
        return Mentee.objects.active().filter(pk=self.request.user.pk).order_by("pk")


class OwnTeamAlone(OwnOf):
    """The reader as a mentee."""

    queryset = Mentee.objects.active()
    serializer_class = shapes.MenteeProfileShape
    rows = staticmethod(shapes.teams)
    done_at = PROFILE


class MailSettings(OneOf):
    """Which mails somebody wants: the reader's own; staff see everybody's."""

    serializer_class = shapes.NotificationSettingsShape
    rows = staticmethod(shapes.notification_settings)
    done_at = ("mails", _("The API only reads. People choose their mails on this page."))

    def get_queryset(self):
        every = NotificationSettings.objects.all()
        return every if self.request.user.is_staff else every.filter(user=self.request.user.pk)


class OwnMailSettings(MailSettings):
    """Which mails the reader wants. All of them, where nothing was chosen yet."""

    def get(self, request):
        found = self.rows(NotificationSettings.objects.filter(user=request.user))
        usual = {"pk": None, "user": request.user.pk} | dict.fromkeys(NotificationSettings.SWITCHES, True)
        return Response(found[0] if found else usual)
