-- Forgets what need not be kept of a few targets, the oldest first; what of them is empty then goes altogether.
-- ARGV: prefix, the last event that may be forgotten, the moment before which all is too old (0: none is), how many
--     messages of a target are kept (0: all), how many events may be forgotten, how many kinds there are, the kinds;
--     then targets, each with '1' if somebody can still read it.
-- Gives: how many were forgotten.
local prefix, mark, horizon, messages = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local left, kinds = tonumber(ARGV[5]), tonumber(ARGV[6])
local budget = left
local mark_ms, mark_n = split(mark)
local behind_mark = position(mark_ms, mark_n + 1)

local function history(kind, target)
    return prefix .. 'h:' .. kind .. ':' .. target
end

local function first(key)
    local entry = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1]
    return entry and entry[1]
end

-- The first event that is to be kept of those that somebody can read; nil if all are.
local function kept_from(target)
    local from = horizon > 0 and position(horizon, 0) or nil
    if messages > 0 then
        local key = history(string.sub(target, 1, 1) == '@' and 'direct' or 'message', target)
        local excess = redis.call('XLEN', key) - messages
        if excess > 0 then
            local oldest = redis.call('XRANGE', key, '-', '+', 'COUNT', math.min(excess, left) + 1)
            local id = oldest[#oldest][1]
            if not from or later(id, from) then
                from = id
            end
        end
    end
    return from
end

-- Forgets what precedes an event in one history, as far as may be.
local function forget(key, from)
    local length = redis.call('XLEN', key)
    if length == 0 then
        return
    end
    if length <= left or #redis.call('XRANGE', key, '-', '(' .. from, 'COUNT', left) < left then
        left = left - redis.call('XTRIM', key, 'MINID', from)
    else
        redis.call('XTRIM', key, 'MAXLEN', length - left)
        left = 0
    end
    if redis.call('XLEN', key) == 0 then
        redis.call('DEL', key)
    end
end

local function forget_target(target, from)
    local before = left
    for i = 1, kinds do
        if left > 0 then
            forget(history(ARGV[6 + i], target), from)
        end
    end
    if left == before then
        return
    end
    local oldest
    for i = 1, kinds do
        local id = first(history(ARGV[6 + i], target))
        if id and (not oldest or later(oldest, id)) then
            oldest = id
        end
    end
    if oldest then
        redis.call('ZADD', prefix .. 'oldest', string.match(oldest, '^%d+'), target)
    else
        redis.call('ZREM', prefix .. 'oldest', target)
    end
    if string.sub(target, 1, 1) == '@' and redis.call('EXISTS', history('direct', target)) == 0 then
        for identity in string.gmatch(string.sub(target, 2), '[^,]+') do
            redis.call('ZREM', prefix .. 'with:' .. identity, target)
        end
    end
end

for at = 7 + kinds, #ARGV, 2 do
    if left == 0 then
        break
    end
    local from = behind_mark
    if ARGV[at + 1] == '1' then
        from = kept_from(ARGV[at])
    end
    if from then
        forget_target(ARGV[at], later(from, behind_mark) and behind_mark or from)
    end
end
return budget - left
