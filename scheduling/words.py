"""The words of scheduling, spelled as they are stored, shown and answered by the API."""

from django.db import models


class Status(models.TextChoices):
    PENDING = "Pending"
    CONFIRMED = "Confirmed"
    CANCELED = "Canceled"
    COMPLETED = "Completed"
    NO_SHOW = "No-show", "No-show"


PENDING, CONFIRMED, CANCELED = Status.PENDING, Status.CONFIRMED, Status.CANCELED
COMPLETED, NO_SHOW = Status.COMPLETED, Status.NO_SHOW

# These take a person's time: the guard, the rules and the slots look at no others.
ACTIVE = (PENDING, CONFIRMED)


class Ending(models.TextChoices):
    """Why a session is Canceled."""

    CANCELED = "canceled"
    DECLINED = "declined"
    EXPIRED = "expired"


class Kind(models.TextChoices):
    """What a notice says."""

    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    CANCELED = "canceled"
    EXPIRED = "expired"
    RESCHEDULED = "rescheduled"
    REASSIGNED = "reassigned"
    REMINDER_60 = "reminder_60", "reminder, 60 minutes before"
    REMINDER_15 = "reminder_15", "reminder, 15 minutes before"


class Rating(models.IntegerChoices):
    """How helpful a session was."""

    ONE = 1, "1 – not helpful"
    TWO = 2, "2 – not very helpful"
    THREE = 3, "3 – so-so"
    FOUR = 4, "4 – helpful"
    FIVE = 5, "5 – very helpful"


class Weekday(models.IntegerChoices):
    """As Python counts them."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


class State(models.TextChoices):
    """What became of a notice."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    EXPIRED = "expired", "too late"
    SUPPRESSED = "suppressed"
    UNCERTAIN = "uncertain"


UNSENT = (State.PENDING, State.SENDING)
REMINDERS = (Kind.REMINDER_60, Kind.REMINDER_15)
