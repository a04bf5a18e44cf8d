-- Three confirmed orders for two of three contacts, and facts that rules ask for.
INSERT INTO sale_order (
       name, state, company_id, currency_id, partner_id, partner_invoice_id,
       partner_shipping_id, date_order, amount_total, amount_untaxed,
       create_uid, write_uid, create_date, write_date)
SELECT 'B' || m.id || '-' || n, CASE WHEN m.id %% 3 = 0 THEN 'sent' ELSE 'sale' END,
       %(company)s, (SELECT currency_id FROM res_company WHERE id = %(company)s),
       m.partner_id, m.partner_id, m.partner_id,
       now() AT TIME ZONE 'UTC' - interval '1 day' * ((m.id * n * 7) %% 720),
       (m.id * n) %% 5000, (m.id * n) %% 5000, 1, 1,
       now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'
  FROM club_member m CROSS JOIN generate_series(1, 3) n;

UPDATE res_partner
   SET city = 'City ' || id %% 50, color = (id * 7919) %% 101,
       own_employee_count = id %% 200,
       function = CASE id %% 9 WHEN 0 THEN 'Manager' END,
       is_company = id %% 5 = 0
 WHERE id IN (SELECT partner_id FROM club_member);

ANALYZE sale_order;
ANALYZE res_partner;
