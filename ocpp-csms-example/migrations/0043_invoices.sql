-- Subscriptions: a monthly fee for included energy and a discount.
CREATE TABLE plans (
    id               TEXT   NOT NULL PRIMARY KEY,
    name             TEXT   NOT NULL,
    currency         TEXT   NOT NULL,
    fee              BIGINT NOT NULL, -- a month, without tax
    tax_percent      TEXT   NOT NULL,
    included_wh      BIGINT NOT NULL, -- a month
    discount_percent TEXT   NOT NULL, -- on everything else
    retired_at       BIGINT,
    created_at       BIGINT NOT NULL
);

CREATE TABLE plan_subscriptions (
    id         TEXT   NOT NULL PRIMARY KEY,
    driver     TEXT   NOT NULL,
    plan       TEXT   NOT NULL REFERENCES plans (id),
    started_at BIGINT NOT NULL,
    ends_at    BIGINT, -- the end of the month in which it was cancelled
    due_at     BIGINT  -- when the next month begins
);

CREATE UNIQUE INDEX subscription_of_driver ON plan_subscriptions (driver) WHERE ends_at IS NULL;
CREATE INDEX plan_subscriptions_due ON plan_subscriptions (due_at) WHERE due_at IS NOT NULL;

-- The months of a subscription, each charged once.
CREATE TABLE subscription_months (
    subscription TEXT   NOT NULL REFERENCES plan_subscriptions (id),
    number       BIGINT NOT NULL, -- from 0
    from_at      BIGINT NOT NULL,
    to_at        BIGINT NOT NULL,
    used_wh      BIGINT NOT NULL DEFAULT 0,
    net          BIGINT NOT NULL,
    tax          BIGINT NOT NULL,
    invoice      BIGINT,
    PRIMARY KEY (subscription, number)
);

-- Invoices: numbered from 1 without gaps, and never changed.
CREATE TABLE invoices (
    number    BIGINT NOT NULL PRIMARY KEY,
    payer     TEXT   NOT NULL,
    currency  TEXT   NOT NULL,
    from_at   BIGINT NOT NULL,
    to_at     BIGINT NOT NULL,
    net       BIGINT NOT NULL,
    tax       BIGINT NOT NULL,
    total     BIGINT NOT NULL,
    lines     TEXT   NOT NULL, -- JSON
    issued_at BIGINT NOT NULL
);

CREATE INDEX invoices_of_payer ON invoices (payer, number);

-- What was given back of a bill, to the balance of who paid.
CREATE TABLE bill_refunds (
    id             TEXT   NOT NULL PRIMARY KEY,
    station        TEXT   NOT NULL,
    transaction_id TEXT   NOT NULL,
    net            BIGINT NOT NULL,
    tax            BIGINT NOT NULL,
    reason         TEXT   NOT NULL,
    refunded_at    BIGINT NOT NULL
);

CREATE INDEX bill_refunds_of_bill ON bill_refunds (station, transaction_id);
