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
from django.utils import translation

from people import languages
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

    def get_login_redirect_url(self, request):
        """Who has no part in the program but to run it begins where that is done; on the way is their second factor."""
        user = request.user
        if user.is_staff and not (user.is_mentor or user.is_mentee):
            return reverse("admin:index")
        return super().get_login_redirect_url(request)

    def send_mail(self, template_prefix, email, context):
        """In the language its reader chose, else in that of the page that asked for it."""
        with translation.override(languages.chosen(context.get("user")) or translation.get_language()):
            super().send_mail(template_prefix, email, context)

    def send_notification_mail(self, template_prefix, user, context=None, email=None):
        super().send_notification_mail(template_prefix, user, {"user": user, **(context or {})}, email)

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


def take(user: User, role: str) -> bool:
    """Give this person the role; again, where they had given it up. Returns whether they did not have it. Asks nobody."""
    _, new = ROLES[role].objects.get_or_create(user=user)
    ended = f"{role}_ended_at"
    if getattr(user, ended) is not None:
        setattr(user, ended, None)
        user.save(update_fields=[ended])
        return True
    return new


def take_wanted_roles(user: User) -> None:
    """What was wished for at the sign-up, now that the address is known to be theirs."""
    if user.wanted_role:
        for role in Wish(user.wanted_role).roles & get_adapter().open_roles():
            take(user, role)
        user.wanted_role = ""
        user.save(update_fields=["wanted_role"])


def forget_addresses(user: User) -> None:
    """After staff gave a person another address: the old one opens nothing any more, and the new one has to be verified."""
    EmailAddress.objects.filter(user=user).exclude(email__iexact=user.email).delete()


def make_admin(email: str) -> User:
    """The superuser with this address. One who was none has no password until they follow a link: a stranger may have set it."""
    user = User.objects.with_email(email) or User(email=email.strip().lower(), username=generate_unique_username(["admin"]))
    if not (user.is_superuser and user.is_active):
        user.is_active = user.is_staff = user.is_superuser = True
        user.set_unusable_password()
        user.full_clean(exclude=["password"])
        user.save()
    return user


def password_link(user: User) -> str:
    """Where this person sets a password: single use, since it dies with the password and the log-in that follow it."""
    key = default_token_generator.make_token(user)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key})
    return settings.SITE_URL + path


def invite(user: User) -> None:
    """Mail a link to set a password."""
    context = {"user": user, "link": password_link(user)}
    with languages.speaking(user):
        subject = " ".join(render_to_string("emails/invitation/subject.txt", context).split())
        EmailMessage(subject, render_to_string("emails/invitation/body.txt", context), to=[user.email]).send()
