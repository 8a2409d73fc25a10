from django.db import migrations, models
import django.db.models.deletion


class Migration(migrations.Migration):

    dependencies = [
        ('benchmarks', '0009_measured_accuracy'),
        ('hardware', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Circumstances',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('profile_name', models.CharField(max_length=120)),
                ('batch_size', models.PositiveIntegerField()),
                ('intra_op_threads', models.PositiveSmallIntegerField()),
                ('input_choices', models.JSONField(default=dict)),
                ('values_name', models.CharField(blank=True, max_length=120)),
                ('values_sha256', models.CharField(blank=True, max_length=64)),
                ('cpu', models.TextField(blank=True)),
                ('machine_fingerprint', models.CharField(max_length=64)),
                ('onnxruntime', models.TextField(blank=True)),
                ('software_fingerprint', models.CharField(max_length=64)),
                ('assumptions', models.JSONField()),
                ('digest', models.CharField(max_length=64)),
                ('onnx_model', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='circumstances', to='benchmarks.onnxmodel')),
                ('profile', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='hardware.hardwareprofile')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='circumstances', to='benchmarks.modelversion')),
            ],
            options={
                'verbose_name_plural': 'circumstances',
            },
        ),
        migrations.AddField(
            model_name='run',
            name='circumstances',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='benchmarks.circumstances'),
        ),
        migrations.AddField(
            model_name='run',
            name='latency_s',
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name='run',
            name='onnx_model',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='results', to='benchmarks.onnxmodel'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(fields=['owner', '-queued_at', '-id'], name='run_of_owner'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(fields=['onnx_model', 'finished_at', 'id', 'circumstances', 'latency_s', 'sweep'], name='run_chart'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(fields=['circumstances', 'finished_at', 'id'], name='run_line'),
        ),
        migrations.AddConstraint(
            model_name='circumstances',
            constraint=models.UniqueConstraint(fields=('version', 'digest'), name='circumstances_told_once'),
        ),
    ]
