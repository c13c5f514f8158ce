-- What is read the latest first is in that order already.
DROP INDEX bills_by_time;
CREATE INDEX bills_by_time ON bills (billed_at, station, transaction_id);

DROP INDEX transactions_of_payer;
CREATE INDEX transactions_of_payer ON transactions (payer, started_at);

-- The entries of an account, whether it has few or nearly all of them.
ALTER TABLE ledger_postings ADD COLUMN at BIGINT NOT NULL DEFAULT 0;
UPDATE ledger_postings SET at = (SELECT e.at FROM ledger_entries e WHERE e.reference = ledger_postings.reference);
DROP INDEX ledger_postings_of_account;
CREATE INDEX ledger_postings_of_account ON ledger_postings (account, at, reference);
