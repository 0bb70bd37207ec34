"""What allauth asks us: names, addresses, and who may come in."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.utils import generate_unique_username

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
