"""Sessions, and what is owed to people about them."""

import uuid
from datetime import tzinfo
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from people.links import LinkField
from people.models import PERMISSIONS, ChangeSet, Mentee, Mentor, User
from scheduling.models.offer import Availability
from scheduling.models.program import Program
from scheduling.models.timed import Timed, ends_after_it_starts, external_id_unique
from scheduling.querysets import NoticeQuerySet, SessionQuerySet
from scheduling.words import CANCELED, PENDING, Ending, Kind, State, Status


class Session(Timed):
    """One meeting of a mentor and a mentee. A booking request is a session that is Pending."""

    mentor = models.ForeignKey(Mentor, models.PROTECT, related_name="sessions")
    mentee = models.ForeignKey(Mentee, models.PROTECT, related_name="sessions")
    availability = models.ForeignKey(
        Availability, models.SET_NULL, null=True, blank=True, related_name="sessions", editable=False
    )
    # Changed by the verbs only. Editable in Django's sense, or the history would leave these out of what changed.
    status = models.CharField(max_length=10, choices=Status, default=PENDING)
    topic = models.CharField(_("what it is about"), max_length=200, blank=True)
    meeting_link = LinkField(blank=True, help_text=_("Where you meet online."))
    ending = models.CharField(max_length=8, choices=Ending, blank=True)
    # What was said with the last change; the history has those before it.
    reason = models.CharField(max_length=300, blank=True)
    # For whom a coordinator made the last change; empty: for the program, or it was one of the two.
    acted_for = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    # The soft rules that a coordinator set aside for this time, by their codes, and why.
    set_aside = models.JSONField(default=list, blank=True)
    set_aside_reason = models.CharField(_("why rules were set aside"), max_length=300, blank=True)
    ended_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(editable=False)
    # A request that nobody has answered by then expires; empty: it never does.
    answer_by = models.DateTimeField(null=True, blank=True, editable=False)
    # When it was first confirmed or declined, or ran out: how long people wait for an answer, and what they hear.
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Grows with every verb: a page that shows an older version is told so instead of overwriting.
    version = models.PositiveIntegerField(default=1, editable=False)
    # One filled-in form, however often it is sent, is one session.
    form_key = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    external_id = models.CharField(_("roster key"), max_length=64, blank=True, editable=False)

    objects = SessionQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        default_permissions = PERMISSIONS
        permissions = [("set_rules_aside", "Can set soft rules aside for a session")]
        ordering = ["-start_time", "-pk"]
        indexes = [
            models.Index(fields=["-start_time", "-id"], name="session_latest_first"),
            models.Index(fields=["mentor", "start_time"], name="session_mentor_start"),
            models.Index(fields=["mentee", "start_time"], name="session_mentee_start"),
            models.Index(fields=["status", "start_time"], name="session_status_start"),
            models.Index(fields=["answer_by"], condition=Q(status=PENDING), name="session_unanswered"),
            # A week, and the answers of a week, in numbers: the desk's first page and the reports read no row for those.
            models.Index(fields=["start_time", "status", "end_time"], name="session_week"),
            models.Index(fields=["decided_at", "created_at", "ending"], name="session_decided"),
        ]
        constraints = [
            ends_after_it_starts(),
            external_id_unique(),
            models.CheckConstraint(
                condition=~Q(mentor_id=F("mentee_id")),
                name="session_of_two_people",
                violation_error_message=_("Nobody can book a session with themselves."),
            ),
            models.CheckConstraint(
                condition=Q(status__in=Status.values),
                name="session_status_known",
                violation_error_message=_("A session is Pending, Confirmed, Canceled, Completed or No-show."),
            ),
            models.CheckConstraint(
                condition=Q(status=CANCELED, ending__in=Ending.values) | (~Q(status=CANCELED) & Q(ending="")),
                name="session_canceled_has_a_why",
                violation_error_message=_("A canceled session says how it ended, and no other does."),
            ),
        ]

    # Follows no relation: lists print many of these.
    def __str__(self) -> str:
        return f"session {self.pk}"

    @property
    def minutes(self) -> int:
        return self.period.minutes

    @property
    def safe_link(self) -> str:
        """The meeting link where it may be followed with a click; what is not encrypted is only told."""
        return self.meeting_link if self.meeting_link.lower().startswith("https://") else ""

    @property
    def people(self) -> tuple[User, User]:
        return self.mentor.user, self.mentee.user

    def other_party(self, user) -> User:
        return self.mentee.user if user.pk == self.mentor_id else self.mentor.user

    def elsewhere(self, program: Program, here: tzinfo) -> list[tuple[User, ZoneInfo]]:
        """The people of this session whose clocks show another time then than the clocks here, each with their zone."""
        clock = self.start_time.astimezone(here).utcoffset()
        zones = [(user, program.zone_of(user)) for user in (self.mentor.user, self.mentee.user)]
        return [(user, zone) for user, zone in zones if self.start_time.astimezone(zone).utcoffset() != clock]


class Notice(models.Model):
    """One message owed to one person about one session: at once the outbox and the proof."""

    session = models.ForeignKey(Session, models.CASCADE, related_name="notices")
    recipient = models.ForeignKey(User, models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=12, choices=Kind)
    # The start that the message speaks of.
    start_time = models.DateTimeField()
    # The session's version that promised it: a session moved away and back owes everything anew.
    version = models.PositiveIntegerField(default=0, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    detail = models.CharField(max_length=300, blank=True, help_text=_("Why it was not sent, or what the mail server said."))
    # The hand-over whose messages to one reader go as one, where it has several of them.
    part_of = models.ForeignKey(ChangeSet, models.SET_NULL, null=True, blank=True, db_index=False, related_name="+")
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    answer = models.CharField(_("the server’s answer"), max_length=300, blank=True, help_text=_("The last one, as it came."))
    # Who had it sent once more, and when.
    resent_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    resent_at = models.DateTimeField(null=True, blank=True)
    # Nobody touches the row before this: a sender's lease, or the pause after a server's "not now".
    not_before = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    # Times the server took the message and gave no answer: it may have been sent.
    unanswered = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    # The same in every attempt, so that a mail system can drop a second copy.
    message_key = models.UUIDField(default=uuid.uuid4, editable=False)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        permissions = [("resend_notice", "Can have a notice sent again"), ("export_notice", "Can export notice")]
        ordering = ["-due_at", "-pk"]
        indexes = [
            # The ledger's pages, and today's part of it.
            models.Index(fields=["-due_at", "-id"], name="notice_latest_first"),
            # Not only of those that ended badly: SQLite uses no partial index for a list of states.
            models.Index(fields=["state", "-due_at", "-id"], name="notice_state_latest_first"),
            # The sweep's question: what is unsent and due? Most rows are sent, and not in here.
            models.Index(fields=["due_at", "id"], condition=Q(state__in=["pending", "sending"]), name="notice_unsent_due"),
            # What goes as one. Most are part of nothing.
            models.Index(fields=["part_of", "recipient"], condition=Q(part_of__isnull=False), name="notice_part_of"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["session", "recipient", "kind", "version"],
                name="notice_promised_once",
                violation_error_message=_("This has been promised already."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=State.values),
                name="notice_state_known",
                violation_error_message=_("This is not a state of a notice."),
            ),
        ]

    def __str__(self) -> str:
        return f"notice {self.pk}"


class CalendarFeed(models.Model):
    """A person's sessions for their own calendar program, under an address that only they know."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="calendar_feed")
    # Part of what the address is made of: with a new one the old address is dead.
    key = models.UUIDField(default=uuid.uuid4, editable=False)

    def __str__(self) -> str:
        return f"calendar feed of {self.user}"
