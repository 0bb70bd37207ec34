from django.db import migrations

from scheduling.guard import SESSIONS


def install(apps, schema_editor):
    SESSIONS.install(schema_editor.connection)


def remove(apps, schema_editor):
    SESSIONS.remove(schema_editor.connection)


class Migration(migrations.Migration):
    """The database refuses double bookings (scheduling/guard.py)."""

    dependencies = [("scheduling", "0001_scheduling")]
    operations = [migrations.RunPython(install, remove)]
