-- Everything that happened, in the order in which it happened.
CREATE TABLE events (
    id     INTEGER PRIMARY KEY,  -- rises with every event, and is never used again
    ms     INTEGER NOT NULL,     -- when it was stored: milliseconds since 1970-01-01 UTC
    kind   TEXT    NOT NULL,     -- message, direct, join, ...: see chatservice/controller/events.py
    target TEXT    NOT NULL,     -- the room's id, or @ and the two identities of a conversation
    actor  TEXT    NOT NULL,     -- the key (case-folded nick) of who did it
    nick   TEXT    NOT NULL,     -- the nick as it was shown
    text   TEXT,                 -- what was said, where something was
    rest   TEXT                  -- what only this kind of event has: a JSON object
);

-- The last messages of a room are read backwards along this.
CREATE INDEX events_by_target ON events (target, kind);

-- The state (rooms, members, accounts, ...) as it was after the event that `applied` names.
CREATE TABLE records (
    kind  TEXT NOT NULL,
    one   TEXT NOT NULL,
    other TEXT NOT NULL,
    value TEXT NOT NULL,         -- a JSON object
    PRIMARY KEY (kind, one, other)
) WITHOUT ROWID;

CREATE TABLE applied (id INTEGER NOT NULL);
INSERT INTO applied VALUES (0);
