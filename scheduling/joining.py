"""Which roles the program lets people take by themselves: asked at the sign-up, and by whoever takes another role later."""

from people import accounts
from scheduling.models import Program


class AccountAdapter(accounts.AccountAdapter):
    def open_roles(self):
        program = Program.current()
        may = {"mentee": program.mentees_may_join, "mentor": program.mentors_may_join}
        return {role for role in super().open_roles() if may[role]}
