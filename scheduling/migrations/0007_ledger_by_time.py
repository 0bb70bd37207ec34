from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("scheduling", "0006_ledger_links_and_feeds"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="notice",
            options={"ordering": ["-due_at", "-pk"], "permissions": [("resend_notice", "Can have a notice sent again")]},
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(fields=["-due_at", "-id"], name="notice_latest_first"),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(fields=["state", "-due_at", "-id"], name="notice_state_latest_first"),
        ),
    ]
