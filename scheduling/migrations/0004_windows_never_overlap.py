from itertools import groupby
from operator import attrgetter

from django.db import migrations

from scheduling.guard import WINDOWS


def join_what_overlaps(apps, schema_editor):
    """Windows of one mentor that overlap become one, and the sessions booked in them are booked in that one."""
    windows = apps.get_model("scheduling", "Availability").objects.order_by("mentor_id", "start_time", "pk")
    sessions = apps.get_model("scheduling", "Session").objects
    for _, theirs in groupby(windows.iterator(), key=attrgetter("mentor_id")):
        kept = None
        for window in theirs:
            if kept is None or window.start_time >= kept.end_time:
                kept = window
                continue
            sessions.filter(availability=window.pk).update(availability=kept.pk)
            window.delete()
            if window.end_time > kept.end_time:
                kept.end_time = window.end_time
                kept.save(update_fields=["end_time"])


def install(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        # A table with rows whose foreign keys wait to be checked cannot be altered.
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    WINDOWS.install(schema_editor.connection)


def remove(apps, schema_editor):
    WINDOWS.remove(schema_editor.connection)


class Migration(migrations.Migration):
    """The database refuses windows of one mentor that overlap (scheduling/guard.py)."""

    dependencies = [("scheduling", "0003_hours_limits_and_moves")]
    operations = [
        migrations.RunPython(join_what_overlaps, migrations.RunPython.noop),
        migrations.RunPython(install, remove),
    ]
