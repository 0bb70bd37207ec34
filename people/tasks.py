"""What the worker does for people. Arguments are keys only: the queue's tables hold no personal data."""

from people.accounts import invite
from people.models import User


def send_invitation(user_key: int) -> str:
    """Mail this person a link to set a password, if they still take part."""
    user = User.objects.filter(pk=user_key, is_active=True).first()
    if user is None:
        return "nobody to invite"
    invite(user)
    return "sent"
