"""How people's rows are remembered."""

from simple_history.models import HistoricalRecords


class PersonRecords(HistoricalRecords):
    """A row that is marked is deleted without a word, too: what is kept of it goes with it."""

    def post_delete(self, instance, using=None, **kwargs):
        if not hasattr(instance, "skip_history_when_saving"):
            super().post_delete(instance, using=using, **kwargs)
