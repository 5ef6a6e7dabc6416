"""One active alert per host, device and type of incident. Of several that stand open the newest one stays, and each of
the others ends where the next one begins, as the platform's hosts do it: never less than a second after its start.
"""

from django.db import migrations, models

END_THE_OLDER = """
LOCK TABLE alerts IN SHARE ROW EXCLUSIVE MODE;
UPDATE alerts AS t
   SET status = 'resolved', end_time = greatest(o.ended, t.start_time + interval '1 second'), updated_at = now()
  FROM (SELECT id, lead(start_time) OVER (PARTITION BY host_name, device_id, incident_type ORDER BY start_time, id)
               AS ended
          FROM alerts WHERE status = 'active') AS o
 WHERE o.id = t.id AND o.ended IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [("mirror", "0002_platform_rules")]
    operations = [
        migrations.RunSQL(END_THE_OLDER, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="platformalert",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "active")),
                fields=("host_name", "device_id", "incident_type"),
                name="vpt_alerts_one_active",
            ),
        ),
    ]
