"""The words of scheduling, spelled as they are stored, shown and answered by the API."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Status(models.TextChoices):
    PENDING = "Pending", _("Pending")
    CONFIRMED = "Confirmed", _("Confirmed")
    CANCELED = "Canceled", _("Canceled")
    COMPLETED = "Completed", _("Completed")
    NO_SHOW = "No-show", _("No-show")


PENDING, CONFIRMED, CANCELED = Status.PENDING, Status.CONFIRMED, Status.CANCELED
COMPLETED, NO_SHOW = Status.COMPLETED, Status.NO_SHOW

# These take a person's time: the guard, the rules and the slots look at no others.
ACTIVE = (PENDING, CONFIRMED)


class Ending(models.TextChoices):
    """Why a session is Canceled."""

    CANCELED = "canceled", _("Canceled")
    DECLINED = "declined", _("Declined")
    EXPIRED = "expired", _("Expired")


class Kind(models.TextChoices):
    """What a notice says."""

    REQUESTED = "requested", _("Requested")
    CONFIRMED = "confirmed", _("Confirmed")
    DECLINED = "declined", _("Declined")
    CANCELED = "canceled", _("Canceled")
    EXPIRED = "expired", _("Expired")
    RESCHEDULED = "rescheduled", _("Rescheduled")
    REASSIGNED = "reassigned", _("Reassigned")
    REMINDER_60 = "reminder_60", _("reminder, 60 minutes before")
    REMINDER_15 = "reminder_15", _("reminder, 15 minutes before")


class Rating(models.IntegerChoices):
    """How helpful a session was."""

    ONE = 1, _("1 – not helpful")
    TWO = 2, _("2 – not very helpful")
    THREE = 3, _("3 – so-so")
    FOUR = 4, _("4 – helpful")
    FIVE = 5, _("5 – very helpful")


class Weekday(models.IntegerChoices):
    """As Python counts them."""

    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


class State(models.TextChoices):
    """What became of a notice."""

    PENDING = "pending", pgettext_lazy("message", "Pending")
    SENDING = "sending", _("Sending")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    EXPIRED = "expired", _("too late")
    SUPPRESSED = "suppressed", _("Suppressed")
    UNCERTAIN = "uncertain", _("Uncertain")


UNSENT = (State.PENDING, State.SENDING)
REMINDERS = (Kind.REMINDER_60, Kind.REMINDER_15)
