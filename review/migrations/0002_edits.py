"""Edits, revisions and presence; segments get a rank for their position, speakers get keys."""

import math
import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import review.models

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def fill(apps, schema_editor):
    """As review.storage.importer and review.edits.fractional_index did it when this was written."""
    Transcript, Segment, Speaker = (
        apps.get_model("review", name) for name in ("Transcript", "Segment", "Speaker")
    )
    for pk in Transcript.objects.values_list("pk", flat=True):
        speakers = list(Speaker.objects.filter(transcript=pk).order_by("id"))
        for number, speaker in enumerate(speakers):
            speaker.key = uuid.uuid4()
            speaker.hotkey = number + 1 if number < 9 else None
        Speaker.objects.bulk_update(speakers, ["key", "hotkey"])
        segments = list(Segment.objects.filter(transcript=pk).order_by("position"))
        for segment, rank in zip(segments, spread(len(segments))):
            segment.rank = rank
            segment.start, segment.end = rounded(segment.start), rounded(segment.end)
            kinds = dict.fromkeys(flag for flag in segment.flags if isinstance(flag, str))
            segment.flags = [{"kind": kind, "score": 1.0} for kind in kinds]
        Segment.objects.bulk_update(segments, ["rank", "start", "end", "flags"], batch_size=200)
        doubtful = sum(bool(segment.flags) for segment in segments)
        Transcript.objects.filter(pk=pk).update(doubtful=doubtful)


def rounded(number):
    return math.floor(number * 1000 + 0.5) / 1000


def spread(count):
    width = 1
    while 36**width <= count:
        width += 1
    step = 36**width // (count + 1)
    return [written((number + 1) * step, width) + "i" for number in range(count)]


def written(value, width):
    digits = ""
    for _place in range(width):
        value, digit = divmod(value, 36)
        digits = DIGITS[digit] + digits
    return digits


def number_again(apps, schema_editor):
    """Back: positions in the order of ranks; what only this version knows is gone with its columns."""
    Transcript, Segment = (apps.get_model("review", name) for name in ("Transcript", "Segment"))
    for pk in Transcript.objects.values_list("pk", flat=True):
        segments = list(Segment.objects.filter(transcript=pk).order_by("rank"))
        for number, segment in enumerate(segments):
            segment.position = number
            segment.flags = [flag["kind"] for flag in segment.flags]
        Segment.objects.bulk_update(segments, ["position", "flags"], batch_size=200)


class Migration(migrations.Migration):

    dependencies = [
        ('review', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Edit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seq', models.PositiveIntegerField(help_text='its place in the history, from 1')),
                ('version', models.PositiveIntegerField(help_text="the transcript's version that it made")),
                ('edit_id', models.UUIDField(help_text='given by the page, so that a lost answer costs nothing')),
                ('client', models.UUIDField(help_text='the page that sent it')),
                ('who_name', models.CharField(max_length=200)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('kind', models.CharField(max_length=20)),
                ('payload', models.JSONField(default=dict)),
                ('patch', models.JSONField(default=dict)),
                ('segment_keys', models.JSONField(default=list)),
                ('speaker_keys', models.JSONField(default=list)),
                ('removed_keys', models.JSONField(default=list)),
                ('changes', models.BooleanField(default=True, help_text='there is something to undo')),
            ],
            options={
                'ordering': ['seq'],
            },
        ),
        migrations.CreateModel(
            name='Presence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('client', models.UUIDField()),
                ('name', models.CharField(max_length=200)),
                ('segment', models.UUIDField(null=True)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name='Revision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('who_name', models.CharField(max_length=200)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('version', models.PositiveIntegerField()),
                ('state', models.JSONField(help_text='as on the wire')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.AlterModelOptions(
            name='segment',
            options={'ordering': ['rank']},
        ),
        migrations.RemoveConstraint(
            model_name='segment',
            name='segment_position_unique',
        ),
        migrations.RemoveConstraint(
            model_name='speaker',
            name='speaker_label_unique',
        ),
        migrations.AlterField('segment', 'position', models.PositiveIntegerField(null=True)),
        migrations.AddField(
            model_name='segment',
            name='checked',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='segment',
            name='highlighted',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='segment',
            name='rank',
            field=review.models.RankField(default='', max_length=1000),
        ),
        migrations.AddField(
            model_name='segment',
            name='version',
            field=models.PositiveIntegerField(default=0, help_text="the transcript's, when it last changed"),
        ),
        migrations.AddField(
            model_name='speaker',
            name='hotkey',
            field=models.PositiveSmallIntegerField(blank=True, help_text='1 to 9', null=True),
        ),
        migrations.AddField(
            model_name='speaker',
            name='key',
            field=models.UUIDField(default=uuid.uuid4, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='speaker',
            name='removed',
            field=models.BooleanField(default=False, help_text='merged into another'),
        ),
        migrations.AddField(
            model_name='speaker',
            name='version',
            field=models.PositiveIntegerField(default=0, help_text="the transcript's, when it last changed"),
        ),
        migrations.AddField(
            model_name='transcript',
            name='doubtful',
            field=models.PositiveIntegerField(default=0, help_text='segments that somebody should look at'),
        ),
        migrations.AddField(
            model_name='transcript',
            name='reviewer',
            field=models.CharField(blank=True, max_length=200, null=True),
        ),
        migrations.AlterField(
            model_name='segment',
            name='flags',
            field=models.JSONField(default=list, help_text='{kind, score, dismissed?}'),
        ),
        migrations.AlterField(
            model_name='segment',
            name='machine_text',
            field=models.TextField(blank=True),
        ),
        migrations.AlterField(
            model_name='segment',
            name='speaker',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.RESTRICT, related_name='segments', to='review.speaker'),
        ),
        migrations.AlterField(
            model_name='segment',
            name='text',
            field=models.TextField(blank=True),
        ),
        migrations.AlterField(
            model_name='speaker',
            name='label',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.RunPython(fill, number_again),
        migrations.RemoveField(
            model_name='segment',
            name='position',
        ),
        migrations.AlterField('segment', 'rank', review.models.RankField(max_length=1000)),
        migrations.AlterField('speaker', 'key', models.UUIDField(default=uuid.uuid4, editable=False)),
        migrations.AddIndex(
            model_name='segment',
            index=models.Index(fields=['transcript', 'version'], name='segment_changes'),
        ),
        migrations.AddConstraint(
            model_name='segment',
            constraint=models.UniqueConstraint(fields=('transcript', 'rank'), name='segment_rank_unique'),
        ),
        migrations.AddConstraint(
            model_name='segment',
            constraint=models.CheckConstraint(condition=models.Q(('end__gte', models.F('start')), ('start__gte', 0)), name='segment_times'),
        ),
        migrations.AddConstraint(
            model_name='speaker',
            constraint=models.UniqueConstraint(condition=models.Q(('label', ''), _negated=True), fields=('transcript', 'label'), name='speaker_label_unique'),
        ),
        migrations.AddConstraint(
            model_name='speaker',
            constraint=models.UniqueConstraint(fields=('transcript', 'key'), name='speaker_key_unique'),
        ),
        migrations.AddConstraint(
            model_name='speaker',
            constraint=models.UniqueConstraint(fields=('transcript', 'hotkey'), name='speaker_hotkey_unique'),
        ),
        migrations.AddConstraint(
            model_name='speaker',
            constraint=models.CheckConstraint(condition=models.Q(('colour__range', (1, 9))), name='speaker_colour'),
        ),
        migrations.AddConstraint(
            model_name='speaker',
            constraint=models.CheckConstraint(condition=models.Q(('hotkey', None), ('hotkey__range', (1, 9)), _connector='OR'), name='speaker_hotkey'),
        ),
        migrations.AddField(
            model_name='edit',
            name='transcript',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='edits', to='review.transcript'),
        ),
        migrations.AddField(
            model_name='edit',
            name='undone_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='undoes', to='review.edit'),
        ),
        migrations.AddField(
            model_name='edit',
            name='who',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='presence',
            name='transcript',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='presences', to='review.transcript'),
        ),
        migrations.AddField(
            model_name='revision',
            name='transcript',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='revisions', to='review.transcript'),
        ),
        migrations.AddIndex(
            model_name='edit',
            index=models.Index(fields=['transcript', 'version'], name='edit_changes'),
        ),
        migrations.AddIndex(
            model_name='edit',
            index=models.Index(fields=['transcript', 'who', 'version'], name='edit_of_person'),
        ),
        migrations.AddConstraint(
            model_name='edit',
            constraint=models.UniqueConstraint(fields=('transcript', 'seq'), name='edit_seq_unique'),
        ),
        migrations.AddConstraint(
            model_name='edit',
            constraint=models.UniqueConstraint(fields=('transcript', 'edit_id'), name='edit_id_unique'),
        ),
        migrations.AddConstraint(
            model_name='presence',
            constraint=models.UniqueConstraint(fields=('transcript', 'client'), name='presence_client_unique'),
        ),
    ]
