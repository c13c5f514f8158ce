-- What a provider only keeps ready is taken when the session is over.
ALTER TABLE payments ADD COLUMN capture TEXT NOT NULL DEFAULT 'none'; -- 'none': nothing is kept ready, 'open', 'due', 'done', 'failed'
ALTER TABLE payments ADD COLUMN captured BIGINT; -- what is taken of it

CREATE INDEX payments_of_session ON payments (session) WHERE session IS NOT NULL;
CREATE INDEX payments_held ON payments (capture) WHERE capture IN ('open', 'due');

-- By which clocks the time of a prepaid session is counted: when its station last told something of it, by the station's clock, and when
-- that was heard here.
ALTER TABLE prepaid_sessions ADD COLUMN told_at BIGINT;
ALTER TABLE prepaid_sessions ADD COLUMN heard_at BIGINT;
