-- The ledger: entries are only added, and the amounts of each add up to zero.
CREATE TABLE ledger_entries (
    reference TEXT   NOT NULL PRIMARY KEY, -- what makes it happen once
    currency  TEXT   NOT NULL,
    at        BIGINT NOT NULL
);

CREATE INDEX ledger_entries_by_time ON ledger_entries (at);

CREATE TABLE ledger_postings (
    reference TEXT   NOT NULL REFERENCES ledger_entries (reference),
    account   TEXT   NOT NULL,
    amount    BIGINT NOT NULL, -- minor units; positive where the operator has it, negative where the operator owes it
    PRIMARY KEY (reference, account)
);

CREATE INDEX ledger_postings_of_account ON ledger_postings (account, reference);

-- What the postings of an account come to; an account has one currency, so each pair is one.
CREATE TABLE ledger_balances (
    account  TEXT   NOT NULL,
    currency TEXT   NOT NULL,
    amount   BIGINT NOT NULL,
    PRIMARY KEY (account, currency)
);

-- A session's bill, made once, when it ended.
CREATE TABLE bills (
    station         TEXT   NOT NULL,
    transaction_id  TEXT   NOT NULL,
    payer           TEXT,
    tariff          TEXT   NOT NULL,
    tariff_version  BIGINT NOT NULL,
    currency        TEXT   NOT NULL,
    net             BIGINT NOT NULL,
    tax             BIGINT NOT NULL,
    total           BIGINT NOT NULL,
    lines           TEXT   NOT NULL, -- JSON
    energy_wh       TEXT   NOT NULL,
    is_final        BIGINT NOT NULL, -- 0: the end of the session was lost
    billed_at       BIGINT NOT NULL,
    invoice         BIGINT,
    PRIMARY KEY (station, transaction_id)
);

CREATE INDEX bills_of_payer ON bills (payer, billed_at);
CREATE INDEX bills_by_time ON bills (billed_at);

-- What was found out after a bill was made.
CREATE TABLE bill_adjustments (
    station        TEXT   NOT NULL,
    transaction_id TEXT   NOT NULL,
    number         BIGINT NOT NULL, -- from 1
    net            BIGINT NOT NULL, -- what the bill changed by
    tax            BIGINT NOT NULL,
    total          BIGINT NOT NULL,
    reason         TEXT   NOT NULL,
    adjusted_at    BIGINT NOT NULL,
    invoice        BIGINT,
    PRIMARY KEY (station, transaction_id, number)
);
