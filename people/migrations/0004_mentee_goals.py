from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0003_meeting_link"),
    ]

    operations = [
        migrations.AddField(
            model_name="historicalmentee",
            name="goals",
            field=models.TextField(
                blank=True, help_text="What this person wants to reach. Mentors who have a session with them read it."
            ),
        ),
        migrations.AddField(
            model_name="mentee",
            name="goals",
            field=models.TextField(
                blank=True, help_text="What this person wants to reach. Mentors who have a session with them read it."
            ),
        ),
    ]
