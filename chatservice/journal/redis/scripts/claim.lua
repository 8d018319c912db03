-- Takes on a node that has no lease: gives 1, or 0 if it has one or another took it on.
-- ARGV: prefix, the node, for how many milliseconds it is taken on.
local expires = redis.call('ZSCORE', ARGV[1] .. 'nodes', ARGV[2])
if expires and tonumber(expires) >= now() then
    return 0
end
if not redis.call('SET', ARGV[1] .. 'claim:' .. ARGV[2], '1', 'NX', 'PX', ARGV[3]) then
    return 0
end
-- Until its users have been seen to, it stores nothing (see commit.lua).
redis.call('SET', ARGV[1] .. 'fence:' .. ARGV[2], 'all', 'PX', ARGV[3])
return 1
