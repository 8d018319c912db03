-- Who did it, beside the nick, as others saw it then; empty for a guest, and for an address that is
-- not shown.
ALTER TABLE events ADD COLUMN account TEXT NOT NULL DEFAULT '';  -- the account's name, as shown
ALTER TABLE events ADD COLUMN host    TEXT NOT NULL DEFAULT '';  -- the cloak of the address

-- Nick and account were one until now. What a restart reads is told in the new words.
UPDATE events
SET account = CASE WHEN json_extract(rest, '$.account') THEN nick ELSE '' END,
    rest = json_set(
        json_remove(rest, '$.account'),
        '$.account_key', CASE WHEN json_extract(rest, '$.account') THEN actor ELSE '' END
    )
WHERE target = '' AND kind = 'login';

UPDATE events
SET account = nick, rest = json_set(rest, '$.account_key', actor)
WHERE target = '' AND kind = 'register';

UPDATE records
SET value = json_set(
    value,
    '$.account', CASE WHEN json_extract(value, '$.account') THEN one ELSE '' END,
    '$.account_nick',
        CASE WHEN json_extract(value, '$.account') THEN json_extract(value, '$.nick') ELSE '' END,
    '$.identity',
        CASE
            WHEN json_extract(value, '$.account') THEN one
            ELSE one || '!' || json_extract(value, '$.login')
        END,
    '$.host', '',
    '$.realname', '',
    '$.away', '',
    '$.flags', json('[]'),
    '$.ms', ifnull((SELECT ms FROM events WHERE id = json_extract(value, '$.login')), 0)
)
WHERE kind = 'user';

UPDATE records
SET value = json_remove(
    json_set(
        value,
        '$.ms', ifnull((SELECT ms FROM events WHERE id = one), 0),
        '$.flags', json(
            CASE
                WHEN json_extract(value, '$.private')
                THEN '["invite_only","no_outside","secret","topic_locked"]'
                ELSE '["no_outside","topic_locked"]'
            END
        ),
        '$.values', json('{}'),
        '$.lists', json('{}'),
        '$.roles', json('{}')
    ),
    '$.private'
)
WHERE kind = 'room';

-- Who has talked with whom, as long as anything that was said is kept.
CREATE TABLE conversations (
    identity TEXT NOT NULL,  -- an account's key, or a guest's key and visit
    target   TEXT NOT NULL,  -- @ and the two identities, as in events
    PRIMARY KEY (identity, target)
) WITHOUT ROWID;

-- Each target that begins with @ once, by leaps along the index.
WITH RECURSIVE targets (target) AS (
    SELECT min(target) FROM events WHERE target >= '@' AND target < 'A'
    UNION ALL
    SELECT (SELECT min(target) FROM events WHERE target > targets.target AND target < 'A')
    FROM targets WHERE target IS NOT NULL
)
INSERT INTO conversations
SELECT substr(target, 2, instr(target, ',') - 2), target FROM targets WHERE target IS NOT NULL
UNION
SELECT substr(target, instr(target, ',') + 1), target FROM targets WHERE target IS NOT NULL;
