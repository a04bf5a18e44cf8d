-- %(orders)s confirmed orders, quotations and cancelled ones over the contacts of the
-- club, most of them with few, some with many; a third of the contacts has none.
WITH contact AS (
    SELECT id, row_number() OVER (ORDER BY md5(id::text)) AS n, count(*) OVER () AS total
      FROM res_partner WHERE phone_sanitized LIKE '+98912%%'),
chosen AS (
    SELECT i, 1 + floor(power(random(), 2.5)
                        * (SELECT max(total) FROM contact) * 2 / 3)::int AS n
      FROM generate_series(1, %(orders)s) i)
INSERT INTO sale_order (
       name, company_id, currency_id, currency_rate, partner_id, partner_invoice_id,
       partner_shipping_id, state, date_order, amount_untaxed, amount_tax,
       amount_total, create_uid, write_uid, create_date, write_date)
SELECT 'B' || i, c.id, c.currency_id, 1, p.id, p.id, p.id,
       (ARRAY['sale', 'sale', 'sale', 'sale', 'sale', 'sale', 'sent', 'cancel'])
       [1 + floor(random() * 8)::int],
       now() AT TIME ZONE 'UTC' - interval '1 day' * (random() * 900),
       round((10 + random() * 500)::numeric, 2), 0, 100, 1, 1,
       now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'
  FROM chosen JOIN contact p USING (n), res_company c
 WHERE c.id = %(company)s;
INSERT INTO sale_order_line (
       order_id, company_id, name, product_uom_qty, price_unit, discount, price_subtotal,
       customer_lead, sequence, create_uid, write_uid, create_date, write_date)
SELECT id, company_id, 'Line', 1, amount_untaxed, CASE WHEN id %% 5 = 0 THEN 10 ELSE 0 END,
       amount_untaxed, 0, 10, 1, 1, create_date, write_date
  FROM sale_order WHERE company_id = %(company)s;
ANALYZE sale_order;
ANALYZE sale_order_line;
