-- A driver asks for what was paid from the own balance.
CREATE INDEX transactions_of_payer ON transactions (payer);
