-- A position in the log is 'ms-n': milliseconds since 1970, and a number within the millisecond.
local function split(position)
    local ms, n = string.match(position, '^(%d+)-(%d+)$')
    return tonumber(ms), tonumber(n)
end

local function position(ms, n)
    return string.format('%.0f-%.0f', ms, n)
end

-- Is one position later than another?
local function later(one, other)
    local ms, n = split(one)
    local other_ms, other_n = split(other)
    return ms > other_ms or (ms == other_ms and n > other_n)
end

-- Where the log ends.
local function head(prefix)
    local found = redis.call('HMGET', prefix .. 'head', 'ms', 'n')
    return tonumber(found[1] or '0'), tonumber(found[2] or '0')
end

local function now()
    local time = redis.call('TIME')
    return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
