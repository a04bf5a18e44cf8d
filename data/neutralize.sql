-- In a copy of the database nothing leaves over the shop's lines.
UPDATE sms_line SET gateway = 'test';

-- Devices in the field belong to the original: a copy must not answer them.
UPDATE club_device
   SET state = 'new', token_hash = NULL, token_next_hash = NULL, token_next_at = NULL,
       pairing_hash = NULL, pairing_expires = NULL;
