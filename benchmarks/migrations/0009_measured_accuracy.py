import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('benchmarks', '0008_data_files'),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='measures_accuracy',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='run',
            name='answer_output',
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.CreateModel(
            name='Evaluation',
            fields=[
                ('run', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='evaluation', serialize=False, to='benchmarks.run')),
                ('values_name', models.CharField(max_length=120)),
                ('values_sha256', models.CharField(max_length=64)),
                ('evaluated_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('item_count', models.PositiveIntegerField(null=True)),
                ('correct_count', models.PositiveIntegerField(null=True)),
                ('accuracy_ratio', models.FloatField(null=True)),
                ('ci95_low_ratio', models.FloatField(null=True)),
                ('ci95_high_ratio', models.FloatField(null=True)),
                ('reading', models.JSONField(default=dict)),
                ('failure_code', models.CharField(blank=True, max_length=40)),
                ('failure_message', models.TextField(blank=True)),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(('accuracy_ratio__isnull', False), ('failure_code', '')),
                            models.Q(
                                ('accuracy_ratio__isnull', True),
                                models.Q(('failure_code', ''), _negated=True),
                                models.Q(('failure_message', ''), _negated=True),
                            ),
                            _connector='OR',
                        ),
                        name='evaluation_has_a_result_or_a_reason',
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ('accuracy_ratio__isnull', True),
                            models.Q(
                                ('accuracy_ratio__gte', models.F('ci95_low_ratio')),
                                ('accuracy_ratio__lte', models.F('ci95_high_ratio')),
                                ('ci95_high_ratio__isnull', False),
                                ('ci95_high_ratio__lte', 1),
                                ('ci95_low_ratio__gte', 0),
                                ('ci95_low_ratio__isnull', False),
                                ('item_count__gte', 1),
                                ('item_count__isnull', False),
                            ),
                            _connector='OR',
                        ),
                        name='evaluated_accuracy_is_a_ratio',
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name='modelversion',
            name='evaluation',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='benchmarks.evaluation'),
        ),
    ]
