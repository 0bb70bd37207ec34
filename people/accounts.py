"""What allauth asks us: names, addresses, and who may come in."""

from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.utils import generate_unique_username
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse

from people.models import Mentee, Mentor, User, Wish

ROLES = {"mentee": Mentee, "mentor": Mentor}


class AccountAdapter(DefaultAccountAdapter):
    def open_roles(self) -> set[str]:
        """The roles that people may take by themselves. A program may close some (scheduling.joining)."""
        return set(ROLES)

    def is_open_for_signup(self, request):
        return bool(self.open_roles())

    def confirm_email(self, request, email_address):
        verified = super().confirm_email(request, email_address)
        if verified:
            take_wanted_roles(email_address.user)
        return verified

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
        take_wanted_roles(user)


def take_wanted_roles(user: User) -> None:
    """What was wished for at the sign-up, now that the address is known to be theirs."""
    if user.wanted_role:
        for role in Wish(user.wanted_role).roles & get_adapter().open_roles():
            ROLES[role].objects.get_or_create(user=user)
        user.wanted_role = ""
        user.save(update_fields=["wanted_role"])


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
