-- Files what the log has into the histories that a shard keeps: in the order of the log, each event once, and by one
-- node at a time. A shard that has never been filed into is made this journal's.
-- ARGV: prefix, the journal's id, the shard's number, the node's run, milliseconds for which it is that node's turn (0:
--     it gives it back), the place that what follows is filed after, the place up to which that is all, and then for
--     each event its place, target, kind and line. Without any of these it only asks, and goes on having its turn.
-- Gives: whose journal's shard it is, which of them, up to where everything is filed, and 1 if it is the node's turn.
-- Nothing is filed if the shard is another's, if it is another node's turn, or if something lies between what is filed
-- already and what follows.
local prefix, service, number, run, lease, after, upto = unpack(ARGV, 1, 7)
local first = 8
local filed_key, turn_key = prefix .. 'filed', prefix .. 'filer'

local found = redis.call('HMGET', filed_key, 'service', 'number', 'place')
if found[1] and (found[1] ~= service or found[2] ~= number) then
    return {found[1], found[2], found[3], 0}
end
local place = found[3] or '0-0'
local turn = redis.call('GET', turn_key)
if turn and turn ~= run then
    return {service, number, place, 0}
end

if lease == '0' then
    redis.call('DEL', turn_key)
    return {service, number, place, 0}
end
redis.call('SET', turn_key, run, 'PX', lease)
if not found[1] then
    redis.call('HSET', filed_key, 'service', service, 'number', number, 'place', place)
end
if later(upto, place) and not later(after, place) then
    local known = {}
    for at = first, #ARGV, 4 do
        if later(ARGV[at], place) then
            file(prefix, ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], known)
        end
    end
    place = upto
    redis.call('HSET', filed_key, 'place', place)
end
return {service, number, place, 1}
