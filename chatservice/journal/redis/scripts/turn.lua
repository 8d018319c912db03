-- Takes the turn to forget, or goes on with it, so that one node at a time does it; or gives it back.
-- ARGV: prefix, who it is, for how many milliseconds (0: gives it back), the time ('': Redis's own).
-- Gives: nothing if it is another's turn; else '1' if it was one's own before, the mark of the records, the time.
local prefix, who, ms, time = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local key = prefix .. 'forgetting'
local holder = redis.call('GET', key)
if holder and holder ~= who then
    return false
end
if ms == 0 then
    redis.call('DEL', key)
    return false
end
redis.call('SET', key, who, 'PX', ms)
local mark = redis.call('HGET', prefix .. 'head', 'mark') or '0-0'
return {holder and '1' or '0', mark, time ~= '' and time or string.format('%.0f', now())}
