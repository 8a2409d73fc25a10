import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('hardware', '0002_reference_tables_and_files'),
    ]

    operations = [
        migrations.AddField(
            model_name='hardwareprofile',
            name='embodied_figure',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='hardware.embodiedfigure'),
        ),
    ]
