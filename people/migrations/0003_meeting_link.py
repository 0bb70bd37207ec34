from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0002_say_what_is_told"),
    ]

    operations = [
        migrations.AddField(
            model_name="historicalmentor",
            name="meeting_link",
            field=models.URLField(
                blank=True, help_text="A room of your own for online sessions. Empty: each session gets a new one."
            ),
        ),
        migrations.AddField(
            model_name="mentor",
            name="meeting_link",
            field=models.URLField(
                blank=True, help_text="A room of your own for online sessions. Empty: each session gets a new one."
            ),
        ),
    ]
