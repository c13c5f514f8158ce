-- Payments of drivers and guests through a provider.
CREATE TABLE payments (
    id                 TEXT   NOT NULL PRIMARY KEY, -- the provider is told it, so that a repeated request is one
    provider           TEXT   NOT NULL,
    payer              TEXT   NOT NULL, -- an account of the ledger
    session            TEXT, -- the prepaid session that it is for
    amount             BIGINT NOT NULL,
    currency           TEXT   NOT NULL,
    method             TEXT, -- what the provider needs to know of the payer, such as a phone number
    state              TEXT   NOT NULL CHECK (state IN ('created', 'requested', 'confirmed', 'declined', 'expired')),
    provider_reference TEXT,
    action             TEXT, -- JSON: what the payer has to do
    failure            TEXT,
    attempts           BIGINT NOT NULL DEFAULT 0,
    due_at             BIGINT, -- when it is looked after next
    created_at         BIGINT NOT NULL,
    updated_at         BIGINT NOT NULL
);

CREATE UNIQUE INDEX payments_of_provider ON payments (provider, provider_reference) WHERE provider_reference IS NOT NULL;
CREATE INDEX payments_due ON payments (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX payments_of_payer ON payments (payer, created_at);
CREATE INDEX payments_by_time ON payments (created_at);

CREATE TABLE payment_refunds (
    id                 TEXT   NOT NULL PRIMARY KEY,
    payment            TEXT   NOT NULL REFERENCES payments (id),
    amount             BIGINT NOT NULL,
    reason             TEXT   NOT NULL,
    state              TEXT   NOT NULL CHECK (state IN ('created', 'requested', 'done', 'failed')),
    provider_reference TEXT,
    failure            TEXT,
    attempts           BIGINT NOT NULL DEFAULT 0,
    due_at             BIGINT,
    created_at         BIGINT NOT NULL,
    updated_at         BIGINT NOT NULL
);

CREATE INDEX payment_refunds_of_payment ON payment_refunds (payment);
CREATE INDEX payment_refunds_due ON payment_refunds (due_at) WHERE due_at IS NOT NULL;

-- What a provider has told, so that it counts once.
CREATE TABLE provider_notifications (
    provider    TEXT   NOT NULL,
    id          TEXT   NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (provider, id)
);

-- Sessions that are paid before they start.
CREATE TABLE prepaid_sessions (
    id              TEXT   NOT NULL PRIMARY KEY,
    payer           TEXT   NOT NULL, -- an account of the ledger
    station         TEXT   NOT NULL,
    evse            BIGINT,
    token           TEXT   NOT NULL, -- what the station is told to start with
    remote_start_id BIGINT NOT NULL,
    currency        TEXT   NOT NULL,
    amount          BIGINT NOT NULL, -- what is to be set aside
    stage           TEXT   NOT NULL CHECK (stage IN ('unpaid', 'held', 'running', 'released', 'settled', 'abandoned')),
    state           TEXT, -- JSON, as soon as money is set aside
    revision        BIGINT NOT NULL DEFAULT 0, -- who writes has seen the one before
    transaction_id  TEXT,
    failure         TEXT, -- why it did not start
    attempts        BIGINT NOT NULL DEFAULT 0,
    due_at          BIGINT, -- when it is looked after next
    give_up_at      BIGINT, -- until when it has to have started
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
);

CREATE INDEX prepaid_sessions_due ON prepaid_sessions (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX prepaid_sessions_by_token ON prepaid_sessions (station, token);
CREATE INDEX prepaid_sessions_by_transaction ON prepaid_sessions (station, transaction_id) WHERE transaction_id IS NOT NULL;
CREATE INDEX prepaid_sessions_of_payer ON prepaid_sessions (payer, created_at);
