"""Sheets of windows."""

from django.core.exceptions import ValidationError

from people.models import Mentor
from people.sheets.cells import Cell
from scheduling import offering
from scheduling.exports import WINDOWS
from scheduling.models import Availability
from scheduling.resources.timed import Person, TimedResource


class AvailabilityResource(TimedResource):
    """Windows. Without keys, a window is the same when its mentor and times are.

    A sheet asks nobody: a row that would leave what is booked without a window is refused, and changed by hand.
    """

    mentor = Cell("mentor", widget=Person(Mentor))

    sheet = WINDOWS
    columns = TimedResource.columns | {"external_id": ("external_id", "slot_id", "window_id", "roster key")}
    needed = (("mentor",), ("start_time",))

    class Meta(TimedResource.Meta):
        model = Availability
        fields = ("mentor", "start_time", "end_time", "external_id")

    def get_queryset(self):
        return super().get_queryset().select_related("mentor__user")

    def read_row(self, row):
        self.end_by_minutes(row)
        self.require(row, "mentor", "start_time")
        self.require(row, "end_time", why="Say when it ends, or how long it is.")

    def init_instance(self, row=None):
        times = {name: self.moment(row, name) for name in ("start_time", "end_time") if name in row}
        if len(times) == 2 and "mentor" in row:
            same = Availability.objects.filter(mentor=self.cleaned(row, "mentor"), **times)
            if "external_id" in row:
                # One with another key is another one, and in the way.
                same = same.filter(external_id="")
            if found := same.first():
                return found
        return super().init_instance(row)

    def after_init_instance(self, instance, new, row, **kwargs):
        super().after_init_instance(instance, instance._state.adding, row, **kwargs)

    def save_instance(self, instance, is_create, row, user=None, **kwargs):
        if instance._state.adding:
            offering.put_window(instance)
        else:
            try:
                offering.make(offering.save_window(instance), by=user)
            except ValidationError as refusal:
                if getattr(refusal, "code", "") != "undecided":
                    raise
                raise ValidationError([refusal, "A sheet cannot ask: change this window by hand."]) from refusal
        written = Availability.objects.get(pk=instance.pk)
        self.touched.append((written, instance.sheet_before, self.snapshot(written)))
