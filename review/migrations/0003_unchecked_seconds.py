"""How much of a transcript nobody has checked is kept with it: the review queue sums up no segments."""

from django.db import migrations, models
from django.db.models import F, Sum


def fill(apps, schema_editor):
    Transcript, Segment = (apps.get_model("review", name) for name in ("Transcript", "Segment"))
    unchecked = Segment.objects.filter(checked=False).order_by().values("transcript")
    for row in unchecked.annotate(seconds=Sum(F("end") - F("start"))).iterator():
        Transcript.objects.filter(pk=row["transcript"]).update(unchecked_seconds=row["seconds"])


class Migration(migrations.Migration):
    dependencies = [("review", "0002_edits")]
    operations = [
        migrations.AddField(
            model_name="transcript",
            name="unchecked_seconds",
            field=models.FloatField(default=0.0, help_text="of segments that nobody has checked"),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
