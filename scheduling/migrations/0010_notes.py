import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0006_wanted_role"),
        ("scheduling", "0009_feedback"),
    ]

    operations = [
        migrations.CreateModel(
            name="SessionNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.CharField(max_length=2000, verbose_name="your notes")),
                ("changed_at", models.DateTimeField(auto_now=True)),
                (
                    "mentor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="session_notes", to="people.mentor"
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="notes", to="scheduling.session"
                    ),
                ),
            ],
            options={
                "ordering": ["-changed_at", "-pk"],
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("session", "mentor"),
                        name="session_note_one_per_mentor",
                        violation_error_message="You have notes on this session already.",
                    )
                ],
            },
        ),
    ]
