from django.db import migrations

from scheduling import guard


def install(apps, schema_editor):
    guard.install(schema_editor.connection)


def remove(apps, schema_editor):
    guard.remove(schema_editor.connection)


class Migration(migrations.Migration):
    """The database refuses double bookings (scheduling/guard.py)."""

    dependencies = [("scheduling", "0001_scheduling")]
    operations = [migrations.RunPython(install, remove)]
