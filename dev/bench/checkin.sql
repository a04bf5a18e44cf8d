-- What a check-in costs as plain SQL: the member found or made, its visits near this
-- one, the device's rate, the journal row, the count, and a look for the worker.
\set number random(0, 99999)
BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT d.id, d.company_id, d.gap_minutes FROM club_device d JOIN res_company c ON c.id = d.company_id WHERE d.id = :device;
INSERT INTO club_member AS m (company_id, phone_e164, visit_count, joined_by, joined_device_id, no_sms, unverified, create_date, write_date)
     VALUES (:company, '+98912' || lpad(:number::text, 7, '0'), 0, 'device', :device, FALSE, FALSE, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC')
ON CONFLICT (company_id, phone_e164) DO UPDATE SET visit_count = m.visit_count
  RETURNING id \gset
SELECT coalesce(bool_or(occurred_at > now() AT TIME ZONE 'UTC' - interval '10 minutes'), FALSE), count(*) FROM club_checkin WHERE member_id = :id;
UPDATE club_device_activity SET rate_tat = rate_tat WHERE device_id = :device;
INSERT INTO club_checkin (company_id, device_id, member_id, event_id, fingerprint, phone_raw, digit, config_rev, occurred_at, arrived_at, is_late, counted, visit_no, result, unknown_digit, clock_clamped, state, attempts, answer_sms, create_date, write_date)
     SELECT :company, :device, :id, gen_random_uuid()::text, md5(:id::text), '0912' || lpad(:number::text, 7, '0'), 1, 1, t, t, FALSE, TRUE, 1, 'repeat', FALSE, FALSE, 'done', 0, 'none', t, t FROM (SELECT date_trunc('second', now() AT TIME ZONE 'UTC') AS t) clock
ON CONFLICT (device_id, event_id) DO NOTHING;
UPDATE club_member SET visit_count = visit_count + 1, last_visit = date_trunc('second', now() AT TIME ZONE 'UTC') WHERE id = :id;
COMMIT;
SELECT EXISTS (SELECT FROM ir_cron_trigger WHERE call_at <= now() AT TIME ZONE 'UTC');
