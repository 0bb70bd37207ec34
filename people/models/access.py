"""How people and their programs come in: invitations and access keys."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from people.models.user import User
from people.querysets import ApiTokenManager


class ApiToken(models.Model):
    """A key with which a program reads what its owner may read. Only its digest is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=60)
    # The first letters, by which its owner knows it again.
    prefix = models.CharField(max_length=8)
    digest = models.CharField(max_length=64, unique=True)
    password_seal = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()

    objects = ApiTokenManager()

    class Meta:
        ordering = ["-created_at", "pk"]

    def __str__(self) -> str:
        return f"access key {self.pk}"


class Invitation(models.Model):
    """That somebody was invited: at once the outbox and the proof. One a person; sent again, it counts on."""

    class State(models.TextChoices):
        WAITING = "waiting", _("on its way")
        SENDING = "sending", _("on its way now")
        SENT = "sent", _("sent")
        FAILED = "failed", _("refused by the mail server")

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="invitation")
    by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    asked_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    # How often a mail server has taken it.
    times = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Nobody touches the row before this: a sender's lease, or the pause after a server's "not now".
    not_before = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["state", "asked_at"], name="invitation_unsent")]

    def __str__(self) -> str:
        return f"invitation {self.pk}"
