-- What lists are filtered by.
CREATE INDEX faults_by_state ON faults (state, opened_at);
CREATE INDEX audit_by_actor_name ON audit (lower(actor_name), id);
