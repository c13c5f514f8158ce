-- Those who sign in, and what they sign in with.
CREATE TABLE operators (
    id              TEXT   NOT NULL PRIMARY KEY, -- UUIDv7
    name_key        TEXT   NOT NULL UNIQUE, -- lower case
    name            TEXT   NOT NULL,
    role            TEXT   NOT NULL CHECK (role IN ('viewer', 'operator', 'accountant', 'admin')),
    password_hash   TEXT, -- argon2id; NULL until the link was followed
    disabled        BIGINT NOT NULL DEFAULT 0,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    last_sign_in_at BIGINT
);

CREATE TABLE drivers (
    id              TEXT   NOT NULL PRIMARY KEY, -- UUIDv7
    login_key       TEXT   NOT NULL UNIQUE, -- lower case
    login           TEXT   NOT NULL, -- e-mail address or telephone number
    name            TEXT   NOT NULL,
    password_hash   TEXT, -- argon2id; NULL until the link was followed
    disabled        BIGINT NOT NULL DEFAULT 0,
    payment         TEXT   NOT NULL CHECK (payment IN ('free', 'balance')),
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    last_sign_in_at BIGINT
);

-- What the cookie of a session is compared with: only its hash.
CREATE TABLE sign_ins (
    hash       TEXT   NOT NULL PRIMARY KEY,
    kind       TEXT   NOT NULL CHECK (kind IN ('operator', 'driver')),
    account    TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL
);

CREATE INDEX sign_ins_of_account ON sign_ins (account);

-- Links that let somebody choose a password, once.
CREATE TABLE set_up_links (
    hash       TEXT   NOT NULL PRIMARY KEY,
    kind       TEXT   NOT NULL CHECK (kind IN ('operator', 'driver', 'invitation')),
    account    TEXT   NOT NULL, -- of an invitation: how the driver pays
    expires_at BIGINT NOT NULL
);

CREATE TABLE api_tokens (
    id           TEXT   NOT NULL PRIMARY KEY, -- UUIDv7
    name         TEXT   NOT NULL,
    hash         TEXT   NOT NULL UNIQUE,
    scopes       TEXT   NOT NULL, -- separated by spaces
    created_by   TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    last_used_at BIGINT,
    revoked_at   BIGINT
);

-- Whose a token is, and on what terms it charges.
CREATE TABLE token_terms (
    token_key     TEXT   NOT NULL PRIMARY KEY REFERENCES tokens (token_key) ON DELETE CASCADE,
    driver        TEXT   REFERENCES drivers (id),
    payment       TEXT   CHECK (payment IN ('free', 'balance')), -- NULL: as its driver
    every_station BIGINT NOT NULL -- 0: only where token_stations says
);

CREATE INDEX token_terms_of_driver ON token_terms (driver);

CREATE TABLE token_stations (
    token_key TEXT NOT NULL REFERENCES tokens (token_key) ON DELETE CASCADE,
    station   TEXT NOT NULL,
    PRIMARY KEY (token_key, station)
);

CREATE INDEX transactions_of_token ON transactions (lower(token));
