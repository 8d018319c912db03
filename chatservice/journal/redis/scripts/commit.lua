-- Stores a batch: gives it ids and a time, appends it to the log and files each event into the history of its
-- target, or does none of it.
-- ARGV: prefix, the journal's id, the node's run, the number of its batch, the time ('': Redis's own),
--     milliseconds for which the log is kept, the mark of the records ('': there are none), '1' if histories are here,
--     how many events, the node, how far it has read; then for each event its target, kind and line; then records,
--     name and value ('': is no more).
local prefix, service, run, batch = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local time, keep, mark, filing, count = ARGV[5], tonumber(ARGV[6]), ARGV[7], ARGV[8], tonumber(ARGV[9])
local node, reached = ARGV[10], ARGV[11]
local first = 12
local DAY = 24 * 3600 * 1000 -- milliseconds
local head_key, log_key = prefix .. 'head', prefix .. 'log'

if redis.call('HGET', head_key, 'service') ~= service then
    return redis.error_reply('OTHERJOURNAL')
end
-- Asked once more because no answer came: it is stored already, or was given up.
local batch_key = prefix .. 'batch:' .. run
if batch <= tonumber(redis.call('GET', batch_key) or '0') then
    return 0
end
-- Its users were logged out, and it has not read that yet: what they say may be in another's name by now.
local fence = redis.call('GET', prefix .. 'fence:' .. node)
if fence and (fence == 'all' or later(fence, reached)) then
    return redis.error_reply('BEHIND')
end

local last_ms, last_n = head(prefix)
local ms, n = time ~= '' and tonumber(time) or now(), 0
if ms <= last_ms then
    ms, n = last_ms, last_n + 1
end

local lines = {}
for i = 0, count - 1 do
    lines[i + 1] = ARGV[first + 3 * i + 2]
end

local previous = position(last_ms, last_n)
local entry = {'p', previous, 'r', run, 'b', batch, 'n', count, 'e', table.concat(lines, '\n')}
local held = redis.call('HGET', head_key, 'mark')
if mark ~= '' and not (held and later(held, mark)) then
    for at = first + 3 * count, #ARGV, 2 do
        if ARGV[at + 1] == '' then
            redis.call('HDEL', prefix .. 'records', ARGV[at])
        else
            redis.call('HSET', prefix .. 'records', ARGV[at], ARGV[at + 1])
        end
    end
    redis.call('HSET', head_key, 'mark', mark)
    entry[#entry + 1], entry[#entry + 2] = 'm', mark
    -- A restart needs what follows the mark, a node that was away what it has missed.
    local before = math.min((split(mark)), ms - keep)
    -- And a shard that was away what it has not filed, though not for ever.
    for _, filed in ipairs(redis.call('HVALS', prefix .. 'shards')) do
        before = math.min(before, math.max(tonumber(filed), ms - DAY))
    end
    redis.call('XTRIM', log_key, 'MINID', '~', string.format('%.0f', before))
end

local last = n + count - 1
redis.call('XADD', log_key, position(ms, last), unpack(entry))
redis.call('HSET', head_key, 'ms', string.format('%.0f', ms), 'n', string.format('%.0f', last))
redis.call('SET', batch_key, batch, 'PX', DAY)

-- Last, since this alone can fail, and only if a history is ahead of the log: that one misses it then.
local known = {}
for i = 0, filing == '1' and count - 1 or -1 do
    local at = first + 3 * i
    if ARGV[at] ~= '' then
        file(prefix, position(ms, n + i), ARGV[at], ARGV[at + 1], ARGV[at + 2], known)
    end
end
return 1
