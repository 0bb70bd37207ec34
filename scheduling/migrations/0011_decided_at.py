from django.db import migrations, models

# Of what is here already the history knows it: the first yes, or the no of a request that had none.
FIRST_DECIDED = """
UPDATE scheduling_session SET decided_at = (
    SELECT min(history_date) FROM scheduling_historicalsession h
    WHERE h.id = scheduling_session.id AND (h.status = 'Confirmed' OR h.ending IN ('declined', 'expired'))
)
"""


def fill(apps, schema_editor):
    # Not the guard's business: no time and no person changes.
    schema_editor.execute(FIRST_DECIDED)


class Migration(migrations.Migration):
    """When a request was first decided, and indexes that answer for a week without its rows."""

    dependencies = [("scheduling", "0010_notes")]

    operations = [
        *(
            migrations.AddField(
                model_name=name,
                name="decided_at",
                field=models.DateTimeField(blank=True, editable=False, null=True),
            )
            for name in ("session", "historicalsession")
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(fields=["start_time", "status", "end_time"], name="session_week"),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(fields=["decided_at", "created_at", "ending"], name="session_decided"),
        ),
        migrations.RemoveIndex(model_name="availability", name="availability_start"),
        migrations.AddIndex(
            model_name="availability",
            index=models.Index(fields=["start_time", "end_time"], name="availability_start_end"),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
