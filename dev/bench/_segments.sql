-- %(contacts)s contacts of one company with tags, orders and invoices; the same ones at
-- every run. Country by number (half of them MX), state and city skewed, 3 orders a
-- contact by a power law, so that a third of them has no confirmed one.
SELECT setseed(0.42);

WITH roots AS (
    INSERT INTO res_partner_category (name, active, color, create_uid, write_uid, create_date, write_date)
    SELECT jsonb_build_object('en_US', 'Bench root ' || g), TRUE, g, 1, 1, now(), now()
      FROM generate_series(1, 4) g
    RETURNING id, name)
INSERT INTO res_partner_category (name, parent_id, active, color, create_uid, write_uid, create_date, write_date)
SELECT jsonb_build_object('en_US', (r.name->>'en_US') || ', child ' || g), r.id, TRUE, g, 1, 1, now(), now()
  FROM roots r, generate_series(1, 9) g;
UPDATE res_partner_category
   SET parent_path = CASE WHEN parent_id IS NULL THEN id || '/' ELSE parent_id || '/' || id || '/' END
 WHERE name->>'en_US' LIKE 'Bench root %%';

CREATE TEMP TABLE g_state AS
SELECT s.id, s.code, s.country_id, c.code AS country,
       row_number() OVER (PARTITION BY c.code ORDER BY s.code) - 1 AS number,
       count(*) OVER (PARTITION BY c.code) AS total
  FROM res_country_state s
  JOIN res_country c ON c.id = s.country_id
 WHERE c.code IN ('MX', 'BR', 'AR', 'CL', 'TR');
CREATE TEMP TABLE g_tag AS
SELECT id, row_number() OVER (ORDER BY id) - 1 AS number
  FROM res_partner_category
 WHERE parent_id IS NOT NULL AND name->>'en_US' LIKE 'Bench root %%';
CREATE TEMP TABLE g_first AS SELECT nextval('res_partner_id_seq') AS id;
CREATE TEMP TABLE g_contact AS
SELECT g AS number, f.id + g AS id,
       CASE WHEN g * 37 %% 100 < 50 THEN 'MX' WHEN g * 37 %% 100 < 70 THEN 'BR'
            WHEN g * 37 %% 100 < 85 THEN 'AR' WHEN g * 37 %% 100 < 95 THEN 'CL' ELSE 'TR' END AS country,
       random() AS in_state, random() AS in_city, random() AS in_mail,
       timestamp '2026-01-01' - random() * 5 * 365 * interval '1 day' AS created
  FROM generate_series(1, %(contacts)s) g, g_first f;
ANALYZE g_contact;

INSERT INTO res_partner (
       id, commercial_partner_id, name, complete_name, type, active, is_company, partner_share,
       employee, autopost_bills, customer_rank, supplier_rank, message_bounce, color, lang,
       company_id, email, email_normalized, phone, phone_sanitized, country_id, state_id, city,
       create_uid, write_uid, create_date, write_date)
SELECT c.id, c.id, 'Contact ' || c.number, 'Contact ' || c.number, 'contact', c.number %% 50 <> 0,
       c.number %% 10 = 0, TRUE, FALSE, 'ask', 1, 0, 0, 0, 'en_US',
       %(company)s, m.mail, m.mail, m.phone, m.phone, s.country_id, s.id,
       'City ' || s.code || ' ' || floor(power(c.in_city, 2) * 6)::int, 1, 1, c.created, c.created
  FROM g_contact c
  JOIN g_state s ON s.country = c.country AND s.number = floor(power(c.in_state, 2) * s.total)
 CROSS JOIN LATERAL (
       SELECT CASE WHEN c.in_mail < 0.8 THEN 'contact' || c.number || '@example.com' END AS mail,
              '+98912' || lpad(c.number::text, 7, '0') AS phone) m
 ORDER BY c.id;
SELECT setval('res_partner_id_seq', (SELECT max(id) FROM res_partner));

INSERT INTO res_partner_res_partner_category_rel (partner_id, category_id)
SELECT DISTINCT p.id, t.id
  FROM (SELECT c.id, floor(power(random(), 1.7) * 36)::int AS number
          FROM g_contact c, generate_series(1, 2)
         WHERE random() < 0.62) p
  JOIN g_tag t USING (number);

INSERT INTO sale_order (
       name, company_id, partner_id, partner_invoice_id, partner_shipping_id, currency_id, user_id,
       state, invoice_status, date_order, amount_untaxed, amount_tax, amount_total, currency_rate,
       locked, require_signature, require_payment, create_uid, write_uid, create_date, write_date)
SELECT 'BENCH' || o.number, %(company)s, o.partner, o.partner, o.partner,
       (SELECT currency_id FROM res_company WHERE id = %(company)s), %(user)s,
       CASE WHEN o.state < 0.20 THEN 'draft' WHEN o.state < 0.45 THEN 'sent'
            WHEN o.state < 0.92 THEN 'sale' ELSE 'cancel' END,
       'no', o.at, round(o.amount, 2), round(o.amount * 0.16, 2), round(o.amount * 1.16, 2), 1,
       FALSE, FALSE, FALSE, 1, 1, o.at, o.at
  FROM (SELECT g AS number, random() AS state, (50 * exp(random() * 5))::numeric AS amount,
               f.id + 1 + (floor(power(random(), 2) * %(contacts)s)::bigint * 7919) %% %(contacts)s AS partner,
               timestamp '2026-01-01' - power(random(), 1.5) * 5 * 365 * interval '1 day' AS at
          FROM generate_series(1, 3 * %(contacts)s) g, g_first f) o;

INSERT INTO account_move (
       name, journal_id, company_id, partner_id, commercial_partner_id, currency_id, state,
       move_type, auto_post, payment_state, date, invoice_date, invoice_date_due, amount_untaxed,
       amount_tax, amount_total, amount_residual, amount_total_signed, amount_residual_signed,
       posted_before, checked, invoice_user_id, create_uid, write_uid, create_date, write_date)
SELECT 'BENCH/' || o.id, %(journal)s, %(company)s, o.partner_id, o.partner_id, o.currency_id,
       'posted', 'out_invoice', 'no', p.state, o.date_order::date, o.date_order::date,
       o.date_order::date + 30, o.amount_untaxed, o.amount_tax, o.amount_total, p.open,
       o.amount_total, p.open, TRUE, TRUE, %(user)s, 1, 1, o.date_order, o.date_order
  FROM (SELECT *, random() AS billed, random() AS paid
          FROM sale_order WHERE name LIKE 'BENCH%%' AND state = 'sale') o
 CROSS JOIN LATERAL (
       SELECT CASE WHEN o.paid < 0.75 THEN 'paid' WHEN o.paid < 0.80 THEN 'partial' ELSE 'not_paid' END AS state,
              CASE WHEN o.paid < 0.75 THEN 0 ELSE o.amount_total END AS open) p
 WHERE o.billed < 0.6;
DROP TABLE g_state, g_tag, g_first, g_contact;
