-- What a restart begins with, at one instant.
-- ARGV: prefix, a position.
-- Gives: the journal's id, where its log ends, the mark, the records (name, value, ...), and the entries of the log
-- that follow the mark or the position, whichever is earlier.
local prefix, since = ARGV[1], ARGV[2]
local found = redis.call('HMGET', prefix .. 'head', 'service', 'mark')
local mark = found[2] or '0-0'
local from = later(mark, since) and since or mark
return {
    found[1] or '',
    position(head(prefix)),
    mark,
    redis.call('HGETALL', prefix .. 'records'),
    redis.call('XRANGE', prefix .. 'log', '(' .. from, '+'),
}
