-- What the kernel keeps in the schema of every service.

-- Messages that had an effect, with the reply that is repeated when they come again.
CREATE TABLE inbox (
    role text NOT NULL,
    source text NOT NULL,
    message_id text NOT NULL,
    digest bytea NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    reply bytea,
    reply_content_type text,
    reply_id text,
    PRIMARY KEY (role, source, message_id, digest)
);
CREATE INDEX inbox_received_at ON inbox (received_at);

-- Nonces of ReplayDetection that were used.
CREATE TABLE nonce (
    source text NOT NULL,
    nonce text NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, nonce)
);
CREATE INDEX nonce_seen_at ON nonce (seen_at);

-- How far the events of each producer and subject were heard, and what is missing before that.
CREATE TABLE position (
    producer text NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (producer, subject)
);
CREATE TABLE gap (
    producer text NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    noticed_at timestamptz NOT NULL DEFAULT now(),
    asked integer NOT NULL DEFAULT 0,
    PRIMARY KEY (producer, subject, sequence)
);

-- What is to be sent; sent rows stay until the replay horizon. Events are counted on their subject, replies are not.
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    subject text NOT NULL,
    message_id text NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    counted boolean NOT NULL,
    line text NOT NULL GENERATED ALWAYS AS (regexp_replace(
        subject, '^([^.]+[.][^.]+[.](event[.][^.]+|command)[.][^.]+)[.][^.]+[.][^.]+[.]([^.]+)$', '\1.\3'
    )) STORED,
    created_at timestamptz NOT NULL DEFAULT now(),
    sequence bigint,
    replays integer NOT NULL DEFAULT 0,
    sent_at timestamptz
);
CREATE INDEX outbox_unsent ON outbox (id) WHERE sent_at IS NULL;
CREATE INDEX outbox_replay ON outbox (subject, sequence) WHERE counted;
CREATE INDEX outbox_created_at ON outbox USING brin (created_at);

-- The last number given on each subject.
CREATE TABLE sequence (
    subject text PRIMARY KEY,
    last bigint NOT NULL
);

-- Commands whose reply is awaited.
CREATE TABLE sent (
    message_id text PRIMARY KEY,
    asker text NOT NULL,
    role text NOT NULL,
    verb text NOT NULL,
    noun text NOT NULL,
    about text NOT NULL,
    sent_at timestamptz NOT NULL DEFAULT now(),
    replied_at timestamptz
);
CREATE INDEX sent_replied_at ON sent (replied_at);

-- Requests that will be answered later; source, message_id and digest are those of the inbox.
CREATE TABLE ticket (
    ticket text PRIMARY KEY,
    role text NOT NULL,
    source text NOT NULL,
    message_id text NOT NULL,
    digest bytea NOT NULL,
    noun text NOT NULL,
    reply_to text NOT NULL,
    content_type text NOT NULL,
    thread text,
    parts integer NOT NULL DEFAULT 0,
    opened_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (role, source, message_id, digest)
);

-- Timers, due by the clock of the context. The id follows from what set the timer; thread and trace go on with it.
CREATE TABLE wake (
    name text NOT NULL,
    key text NOT NULL,
    id text NOT NULL,
    at timestamptz NOT NULL,
    payload text NOT NULL,
    thread text,
    trace jsonb NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    PRIMARY KEY (name, key)
);
CREATE INDEX wake_at ON wake (at, name, key);

-- What could not be handled and whom nobody could tell; and how often a delivery was begun and not brought to an end.
CREATE TABLE dead_letter (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    role text NOT NULL,
    subject text NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    stream text,
    stream_sequence bigint,
    at timestamptz NOT NULL DEFAULT now(),
    requeued_at timestamptz,
    UNIQUE (stream, stream_sequence)
);
CREATE TABLE failure (
    stream text NOT NULL,
    stream_sequence bigint NOT NULL,
    count integer NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream, stream_sequence)
);

-- Takes the key of a message; false when it was taken before. The row lock makes a second taker wait for the first.
CREATE FUNCTION take_message(p_role text, p_source text, p_message_id text, p_digest bytea) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO inbox (role, source, message_id, digest) VALUES (p_role, p_source, p_message_id, p_digest)
    ON CONFLICT DO NOTHING;
    RETURN FOUND;
END
$$;

-- Moves the position of a producer and subject to a number, and notes the gap before it; an older number fills its gap.
CREATE FUNCTION hear(p_producer text, p_subject text, p_sequence bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    last_heard bigint;
BEGIN
    UPDATE position AS p SET sequence = p_sequence
    WHERE p.producer = p_producer AND p.subject = p_subject AND p.sequence = p_sequence - 1;
    IF FOUND THEN
        RETURN;
    END IF;
    INSERT INTO position (producer, subject, sequence) VALUES (p_producer, p_subject, p_sequence)
    ON CONFLICT (producer, subject) DO NOTHING;
    IF FOUND THEN
        RETURN;
    END IF;
    SELECT p.sequence INTO last_heard FROM position p
    WHERE p.producer = p_producer AND p.subject = p_subject FOR UPDATE;
    IF p_sequence > last_heard THEN
        INSERT INTO gap (producer, subject, sequence)
        SELECT p_producer, p_subject, missing
        FROM generate_series(greatest(last_heard + 1, p_sequence - 10000), p_sequence - 1) AS missing
        ON CONFLICT DO NOTHING;
        UPDATE position SET sequence = p_sequence WHERE producer = p_producer AND subject = p_subject;
    ELSE
        DELETE FROM gap WHERE producer = p_producer AND subject = p_subject AND sequence = p_sequence;
    END IF;
END
$$;

-- Takes the key of an event that its producer has numbered.
CREATE FUNCTION take_event(
    p_role text, p_source text, p_message_id text, p_digest bytea, p_subject text, p_sequence bigint
) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM hear(p_source, p_subject, p_sequence);
    RETURN take_message(p_role, p_source, p_message_id, p_digest);
END
$$;
