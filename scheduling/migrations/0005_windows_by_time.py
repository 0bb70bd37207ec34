from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0004_windows_never_overlap")]

    operations = [
        migrations.AddIndex(
            model_name="availability",
            index=models.Index(fields=["start_time"], name="availability_start"),
        ),
    ]
