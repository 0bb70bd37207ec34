"""What became of a session, change by change: who did it, for whom, why, and which rules were set aside for it."""

from dataclasses import replace
from itertools import pairwise

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from simple_history.admin import SimpleHistoryAdmin
from simple_history.template_utils import HistoricalRecordContextHelper

from scheduling import rules
from scheduling.admin.booking_forms import is_key
from scheduling.slots import Period

# The page of the history has all.
LAST = 20


def rules_set_aside(session) -> str:
    """The rules that were set aside for the time of this session, or of a row of its history."""
    return ", ".join(f"“{rules.TITLES.get(code, code)}”" for code in session.set_aside)


def last_change(session) -> str:
    """What was done last, by whom and when: "confirmed for the mentor, by Cora Diaz, 24 Nov 2026, 09:00"."""
    # An old version that somebody looks at has its own row with it.
    record = getattr(session, "_history", None) or session.history.select_related("history_user").first()
    if record is None:
        return "-"
    at = date_format(timezone.localtime(record.history_date), "DATETIME_FORMAT")
    by = f", by {record.history_user}" if record.history_user else ""
    return capfirst(f"{record.history_change_reason or 'changed'}{by}, {at}")


class Changes(HistoricalRecordContextHelper):
    """What one change changed, without what has a column of its own, and start and end as one."""

    ELSEWHERE = {"acted_for", "reason", "set_aside", "set_aside_reason"}
    WHEN = {"start_time", "end_time"}

    def context_for_delta_changes(self, delta):
        others = [change for change in delta.changes if change.field not in self.ELSEWHERE | self.WHEN]
        told = super().context_for_delta_changes(replace(delta, changes=others))
        if self.WHEN & {change.field for change in delta.changes}:
            told.insert(0, {"field": "When", "old": _when(delta.old_record), "new": _when(delta.new_record)})
        return told

    def prepare_delta_change_value(self, change, value):
        return "" if value is None else value


def _when(record) -> str:
    return rules.when(Period(record.start_time, record.end_time), timezone.get_current_timezone())


class SessionHistoryAdmin(SimpleHistoryAdmin):
    object_history_list_template = "admin/scheduling/session/history_list.html"

    def last_changes(self, request, object_id: str) -> list:
        """What the page itself shows of it, the latest first."""
        if not is_key(object_id):
            return []
        records = self.get_history_queryset(request, self.model.history, "id", object_id)[:LAST]
        return self.set_history_delta_changes(request, records)

    def get_historical_record_context_helper(self, request, historical_record):
        return Changes(self.model, historical_record)

    def set_history_delta_changes(self, request, historical_records, foreign_keys_are_objs=True):
        """The rules are told with the change that set them aside, not with all that follow."""
        records = list(historical_records)
        super().set_history_delta_changes(request, records, foreign_keys_are_objs)
        for record, before in pairwise(records):
            same = (record.set_aside, record.set_aside_reason) == (before.set_aside, before.set_aside_reason)
            record.aside = "" if same else rules_set_aside(record)
        for oldest in records[-1:]:
            oldest.aside, oldest.history_delta_changes = rules_set_aside(oldest), []
        return records
