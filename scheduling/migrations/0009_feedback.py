import django.db.models.deletion
from django.db import migrations, models

RATINGS = [
    (1, "1 – not helpful"),
    (2, "2 – not very helpful"),
    (3, "3 – so-so"),
    (4, "4 – helpful"),
    (5, "5 – very helpful"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("scheduling", "0008_joining"),
    ]

    operations = [
        migrations.CreateModel(
            name="Feedback",
            fields=[
                (
                    "session",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="feedback",
                        serialize=False,
                        to="scheduling.session",
                    ),
                ),
                ("rating", models.PositiveSmallIntegerField(choices=RATINGS)),
                ("sentence", models.CharField(blank=True, max_length=500, verbose_name="in a sentence")),
                ("created_at", models.DateTimeField(editable=False)),
            ],
            options={
                "verbose_name_plural": "feedback",
                "ordering": ["-created_at", "-pk"],
                "default_permissions": ("view",),
                "indexes": [models.Index(fields=["-created_at", "-session"], name="feedback_latest_first")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("rating__in", [1, 2, 3, 4, 5])),
                        name="feedback_rating_known",
                        violation_error_message="A rating is a number from 1 to 5.",
                    )
                ],
            },
        ),
    ]
