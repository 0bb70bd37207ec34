"""The address under which a person's calendar program finds their sessions. Whoever knows it may read them: it is a key."""

import uuid

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from people.models import User
from scheduling.models import CalendarFeed


def make(user: User) -> CalendarFeed:
    """The feed of this person, new or the one that they have."""
    return CalendarFeed.objects.get_or_create(user=user)[0]


def reset(user: User) -> bool:
    """A new address for a feed that is there; the old one is dead at once. False: there was none."""
    return bool(CalendarFeed.objects.filter(user=user).update(key=uuid.uuid4()))


def address(feed: CalendarFeed) -> str:
    return settings.SITE_URL + reverse("calendar_feed", args=[_token(feed.user_id, feed.key)])


def reader(token: str) -> User | None:
    """Whose feed this is, or None: for what was never an address, no longer is one, or is that of somebody who left."""
    number, _, _ = token.partition("-")
    # No longer number is a key of any row. Other digits than these are numbers to Python, too.
    known = len(number) <= 18 and number.isascii() and number.isdigit()
    feed = CalendarFeed.objects.select_related("user").filter(pk=int(number)).first() if known else None
    if feed is None or not constant_time_compare(token, _token(feed.user_id, feed.key)):
        return None
    return feed.user if feed.user.is_active else None


def _token(user_key: int, feed_key: uuid.UUID) -> str:
    # Made with the site's secret key: a copy of the database opens no feed.
    seal = salted_hmac("scheduling.feeds", f"{user_key}-{feed_key.hex}", algorithm="sha256").hexdigest()
    return f"{user_key}-{seal}"
