-- When something was said last in each of some targets, and in each conversation of an identity.
-- ARGV: prefix, the identity, two moments between which that must have been (neither included), how many conversations
--     are wanted at the most, then the targets.
-- Gives: a target, the id of the last event that says something there, and so on, in no order.
local prefix, identity, after, before, limit = ARGV[1], ARGV[2], '(' .. ARGV[3], '(' .. ARGV[4], ARGV[5]
local found, seen = {}, {}

local function look(target)
    if seen[target] then
        return
    end
    seen[target] = true
    local kind = string.sub(target, 1, 1) == '@' and 'direct' or 'message'
    local last = redis.call('XREVRANGE', prefix .. 'h:' .. kind .. ':' .. target, '+', '-', 'COUNT', 1)[1]
    if last then
        found[#found + 1], found[#found + 2] = target, last[1]
    end
end

for at = 6, #ARGV do
    look(ARGV[at])
end
local key = prefix .. 'with:' .. identity
local oldest = redis.call('ZRANGEBYSCORE', key, after, before, 'WITHSCORES', 'LIMIT', 0, limit)
for at = 1, #oldest, 2 do
    look(oldest[at])
end
-- Of the last moment there may be more, whose ids are lower.
if #oldest > 0 then
    for _, target in ipairs(redis.call('ZRANGEBYSCORE', key, oldest[#oldest], oldest[#oldest])) do
        look(target)
    end
end
return found
