-- In a copy of the database nothing leaves over the shop's lines, and the copy knows
-- neither their keys nor their webhooks.
UPDATE sms_line
   SET gateway = 'test', api_key = NULL, username = NULL, password = NULL,
       base_url = NULL, http_headers = NULL, http_body = NULL,
       webhook_secret = md5(random()::text || random()::text);

-- Devices in the field belong to the original: a copy must not answer them.
UPDATE club_device
   SET state = 'new', token_hash = NULL, token_next_hash = NULL, token_next_at = NULL,
       pairing_hash = NULL, pairing_expires = NULL;
