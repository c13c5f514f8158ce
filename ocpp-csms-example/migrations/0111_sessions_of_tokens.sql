-- The latest sessions of a token are read without all the others.
DROP INDEX transactions_of_token;
CREATE INDEX transactions_of_token ON transactions (lower(token), started_at);
