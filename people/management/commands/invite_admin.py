"""The first superuser, or one more: by a link that works once. No password is typed here, printed or logged."""

from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from people import accounts


class Command(BaseCommand):
    help = "Makes a superuser without a password, and prints the link by which they set one. It works once, for three days."

    def add_arguments(self, parser):
        parser.add_argument("email", help="the address of the new superuser, or of one who is locked out")
        parser.add_argument("--mail", action="store_true", help="mail the link to them instead of printing it")

    def handle(self, *, email, mail, **options):
        try:
            user = accounts.make_admin(email)
        except ValidationError as refusal:
            raise CommandError(" ".join(refusal.messages)) from None
        if mail:
            accounts.invite(user)
            self.stdout.write("The link is mailed.")
            return
        lasts = timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT).days
        self.stdout.write(f"Open this within {lasts} days. It works once, and whoever has it is in: tell nobody else.")
        self.stdout.write(accounts.password_link(user))
