-- What operators did. Never changed, never a secret in it.
CREATE TABLE audit (
    id         TEXT   NOT NULL PRIMARY KEY, -- UUIDv7: in the order of time
    at         BIGINT NOT NULL,
    actor_kind TEXT   NOT NULL,
    actor_id   TEXT,
    actor_name TEXT   NOT NULL,
    action     TEXT   NOT NULL,
    object     TEXT   NOT NULL,
    detail     TEXT   NOT NULL,
    address    TEXT
);

CREATE INDEX audit_by_action ON audit (action, id);
CREATE INDEX audit_by_object ON audit (object, id);
CREATE INDEX audit_by_actor ON audit (actor_id, id);
