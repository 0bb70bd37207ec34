"""A program's life as a state machine: people offer, ask, answer, move, leave and come back; hours, policy and clock change.

The machine keeps its own book of what was done (`book`). Each rule (`asking`, `offering`, `world`) does something that
somebody could do, well or badly, and knows what must come of it; after every step the database is held against the book.
`test_life` runs it.
"""

from hypothesis import strategies as st
from hypothesis.stateful import initialize

from scheduling.models import Availability
from scheduling.tests.life.asking import Asking
from scheduling.tests.life.book import Cast
from scheduling.tests.life.offering import Offering
from scheduling.tests.life.words import BEGINNING, HOUR, mentees, mentors, policies, some
from scheduling.tests.life.world import World

__all__ = ["Cast", "Life"]


class Life(Asking, Offering, World):
    @initialize(policy=policies, booked=st.lists(st.tuples(mentors, mentees, some, st.booleans()), min_size=3, max_size=6))
    def a_program_is_there(self, policy, booked):
        """Few hours for many wishes, and some of them granted."""
        self.the_policy_changes(policy)
        Availability.objects.bulk_create(
            Availability(mentor_id=key, start_time=start, end_time=start + 3 * HOUR)
            for key in self.cast.mentors
            for start in (BEGINNING + 2 * HOUR, BEGINNING + 7 * HOUR, BEGINNING + 27 * HOUR)
        )
        for who, by, which, agreed in booked:
            self.take(who, by, which, 30)
            if agreed and self.waiting:
                self.act(self.session(self.waiting, -1), "confirm", "mentor")
