"""A password that everybody would try first."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from scheduling.models import Program

PRODUCT = "Team Production System"
# What has to be there beside the name, in letters.
REST = 6


def letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalpha())


class ProgramNameValidator:
    """Refuses the names of the program and the product, with digits and signs around them."""

    def validate(self, password: str, user=None) -> None:
        told = letters(password)
        for name in filter(None, map(letters, (Program.current().name, PRODUCT))):
            if name in told and len(told.replace(name, "")) < REST:
                raise ValidationError(_("The program’s name is the first thing others would try."), code="program_name")

    def get_help_text(self) -> str:
        return _("Your password can’t be the program’s name.")
