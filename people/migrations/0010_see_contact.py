from django.db import migrations


class Migration(migrations.Migration):
    """Who may look is told apart from who sees how people can be reached."""

    dependencies = [("people", "0009_skill_suggestions")]

    operations = [
        migrations.AlterModelOptions(
            name="user",
            options={
                "ordering": ["first_name", "last_name", "pk"],
                "permissions": [("see_contact", "Can see the e-mail addresses and phone numbers of others")],
            },
        )
    ]
