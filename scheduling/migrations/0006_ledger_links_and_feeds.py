import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0003_meeting_link"),
        ("scheduling", "0005_windows_by_time"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CalendarFeed",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="calendar_feed",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False)),
            ],
        ),
        migrations.AddField(
            model_name="notice",
            name="answer",
            field=models.CharField(
                blank=True, help_text="The last one, as it came.", max_length=300, verbose_name="the server’s answer"
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="resent_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="notice",
            name="resent_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="program",
            name="meeting_rooms",
            field=models.URLField(
                blank=True,
                default="https://meet.jit.si/",
                help_text="A session whose mentor has no room gets one of its own under this address; empty: none. Default: https://meet.jit.si/",
                verbose_name="meeting rooms",
            ),
        ),
    ]
