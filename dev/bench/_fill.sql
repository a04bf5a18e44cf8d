-- %(members)s members of one company, each with a contact, the group, a tag and two
-- visits in the last year. Numbers 0912 0000000, 0912 0000001, ...
WITH numbers AS (
    SELECT n, nextval('res_partner_id_seq') AS id, '+98912' || lpad(n::text, 7, '0') AS e164,
           '0912 ' || lpad((n / 10000)::text, 3, '0') || ' '
                   || lpad((n %% 10000)::text, 4, '0') AS national,
           now() AT TIME ZONE 'UTC' - interval '1 day' * (10 + n %% 300) AS seen
      FROM generate_series(0, %(members)s - 1) n),
partners AS (
    INSERT INTO res_partner (
           id, commercial_partner_id, name, complete_name, type, active, is_company, partner_share, employee,
           autopost_bills, customer_rank, supplier_rank, message_bounce, color, lang,
           company_id, country_id, phone, phone_sanitized,
           create_uid, write_uid, create_date, write_date)
    SELECT id, id, national, national, 'contact', TRUE, FALSE, TRUE, FALSE, 'ask', 0, 0, 0, 0,
           'en_US', %(company)s, (SELECT id FROM res_country WHERE code = 'IR'),
           national, e164, 1, 1, seen, seen
      FROM numbers
    RETURNING id, phone_sanitized),
grouped AS (
    INSERT INTO customer_segment_included_partner_rel (segment_id, partner_id)
    SELECT d.group_id, p.id FROM partners p, club_device d
     WHERE d.id = (%(devices)s)[1]),
tagged AS (
    INSERT INTO res_partner_res_partner_category_rel (partner_id, category_id)
    SELECT id, %(category)s FROM partners),
members AS (
    INSERT INTO club_member (
           company_id, phone_e164, partner_id, visit_count, first_visit, last_visit,
           joined_by, joined_device_id, consent_version, no_sms, unverified,
           create_uid, write_uid, create_date, write_date)
    SELECT %(company)s, p.phone_sanitized, p.id, 2, n.seen - interval '5 days', n.seen,
           'device', (%(devices)s)[1 + n.n %% array_length(%(devices)s, 1)], '1',
           FALSE, FALSE, 1, 1, n.seen, n.seen
      FROM partners p
      JOIN numbers n ON n.e164 = p.phone_sanitized
    RETURNING id, joined_device_id, phone_e164, first_visit, last_visit)
INSERT INTO club_checkin (
       company_id, device_id, member_id, event_id, fingerprint, phone_raw, digit,
       tag_id, category_id, config_rev, occurred_at, arrived_at, is_late, counted,
       visit_no, result, unknown_digit, clock_clamped, state, attempts, answer_sms,
       create_uid, write_uid, create_date, write_date)
SELECT %(company)s, m.joined_device_id, m.id, 'fill-' || m.id || '-' || v.visit,
       md5(m.id::text) || md5(v.visit::text), m.phone_e164, 1, t.id, t.category_id, 1,
       v.at, v.at, FALSE, TRUE, v.visit,
       CASE v.visit WHEN 1 THEN 'new' ELSE 'repeat' END, FALSE, FALSE, 'done', 0,
       'none', 1, 1, v.at, v.at
  FROM members m
  JOIN club_device_tag t ON t.device_id = m.joined_device_id AND t.digit = 1
 CROSS JOIN LATERAL (VALUES (1, m.first_visit), (2, m.last_visit)) v (visit, at);

-- The load is spread over eight devices; their own limit is not what is measured.
ALTER TABLE club_device DROP CONSTRAINT club_device_rate_limit_positive;
UPDATE club_device SET rate_limit_per_minute = 60000;
