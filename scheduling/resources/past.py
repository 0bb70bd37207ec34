"""The history of another system: sessions that are over. The one sheet that writes the past."""

from django.core.exceptions import ValidationError
from django.utils import timezone

from people.sheets.returning import KEY
from scheduling import booking
from scheduling.models import Session
from scheduling.resources.sessions import AnySessionResource, status_of
from scheduling.words import CANCELED, COMPLETED, Ending


class PastSessionResource(AnySessionResource):
    """Written as it was, by `booking.bring_over`: no rule of the policy is asked, and nobody is told."""

    class Meta(AnySessionResource.Meta):
        use_bulk = True
        batch_size = 500

    def prepare(self, dataset):
        super().prepare(dataset)
        keys = {str(cell or "").strip() for cell in dataset["external_id"]} if "external_id" in dataset.headers else set()
        self.keyed = {session.external_id: session for session in Session.objects.filter(external_id__in=keys - {""})}
        if "start_time" not in dataset.headers:
            # Windows say when: then a session is known again by its key only.
            self.there = {}
            return
        starts = []
        for cell, name in zip(dataset["start_time"], self._zones(dataset), strict=True):
            try:
                starts.append(self.fields["start_time"].widget.clean(cell, row={"times_in": name}))
            except ValidationError:
                continue
        there = Session.objects.filter(start_time__in=starts)
        self.there = {(session.mentor_id, session.mentee_id, session.start_time): session for session in there}

    def _zones(self, dataset) -> list:
        return dataset["times_in"] if "times_in" in dataset.headers else [""] * len(dataset)

    def read_row(self, row):
        self.read_times(row)
        if "status" in row or KEY not in row:
            row["status"] = status_of(row, COMPLETED)

    def get_instance(self, instance_loader, row):
        if found := self.keyed.get(row.get("external_id", "")):
            return found
        people = (self.cleaned(row, name).pk for name in ("mentor", "mentee"))
        found = self.there.get((*people, self.moment(row, "start_time")))
        # One with another key is another one.
        return found if found and found.external_id in ("", row.get("external_id", "")) else None

    def validate_instance(self, instance, import_validation_errors=None, validate_unique=True):
        super().validate_instance(instance, import_validation_errors, validate_unique)
        instance.created_at = min(instance.created_at or instance.start_time, timezone.now())
        if instance.status == CANCELED:
            instance.ending = Ending.CANCELED
        booking.check_past(instance, beside=self.create_instances)

    def save_instance(self, instance, is_create, row, **kwargs):
        self.create_instances.append(instance)

    def bulk_create(self, using_transactions, dry_run, raise_errors, batch_size=None, result=None):
        sessions, self.create_instances = self.create_instances, []
        if sessions and not dry_run:
            booking.bring_over(sessions, by=self.by, within=self.within)

    def bulk_update(self, *args, **kwargs):
        """None is updated."""
