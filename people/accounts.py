"""What allauth asks us: names, addresses, and who may come in."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.utils import generate_unique_username
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse

from people.models import User


class AccountAdapter(DefaultAccountAdapter):
    def populate_username(self, request, user):
        """User names are shown to others: made from the name, never from the address."""
        user.username = generate_unique_username([f"{user.first_name}{user.last_name}", "member"])


def mark_verified(user: User) -> None:
    """Whoever followed a link mailed to this address can read its mail."""
    address, _ = EmailAddress.objects.get_or_create(
        user=user, email__iexact=user.email, defaults={"email": user.email.lower(), "primary": True}
    )
    if not address.verified:
        address.verified = True
        address.set_as_primary(conditional=True)
        address.save()


def forget_addresses(user: User) -> None:
    """After staff gave a person another address: the old one opens nothing any more, and the new one has to be verified."""
    EmailAddress.objects.filter(user=user).exclude(email__iexact=user.email).delete()


def invite(user: User) -> None:
    """Mail a link to set a password: single use, since it dies with the password and the log-in that follow it."""
    key = default_token_generator.make_token(user)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key})
    context = {"user": user, "link": settings.SITE_URL + path}
    subject = " ".join(render_to_string("emails/invitation/subject.txt", context).split())
    EmailMessage(subject, render_to_string("emails/invitation/body.txt", context), to=[user.email]).send()
