-- Files an event into the history of its target: one stream for each target and kind, under the event's id. Beside
-- the histories stand the targets, by the time of the oldest event that is kept of each (`oldest`), and an identity's
-- conversations, by the time when something was said in each last (`with:<identity>`).
local function file(prefix, id, target, kind, line, known)
    local ms = string.match(id, '^%d+')
    redis.call('XADD', prefix .. 'h:' .. kind .. ':' .. target, id, 'e', line)
    if not known[target] then
        known[target] = true
        redis.call('ZADD', prefix .. 'oldest', 'NX', ms, target)
    end
    if kind == 'direct' and known['said ' .. target] ~= ms then
        known['said ' .. target] = ms
        for identity in string.gmatch(string.sub(target, 2), '[^,]+') do
            redis.call('ZADD', prefix .. 'with:' .. identity, ms, target)
        end
    end
end
