"""The pages on which a coordinator plans: they change nothing, and lead to the forms that do."""

from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from scheduling import booking
from scheduling.admin.booking_forms import BeginningForm
from scheduling.admin.find import find
from scheduling.admin.week import WeekPage


class PlanningAdmin:
    """For sessions: the week, the search for a free mentor, and a booking form that begins where another page led to it."""

    @action(description=_("Week"), permissions=["view"], icon="calendar_view_week")
    def week(self, request):
        return WeekPage(self, request).answer()

    @action(description=_("Find a mentor"), permissions=["plan"], icon="person_search")
    def find(self, request):
        return find(self, request)

    def has_plan_permission(self, request):
        return booking.acts_for_program(request.user) and self.has_add_permission(request)

    def get_changeform_initial_data(self, request):
        return super().get_changeform_initial_data(request) | BeginningForm(request.GET).for_the_fields
