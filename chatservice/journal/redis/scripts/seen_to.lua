-- The users of a node that had no lease have been seen to. If it is back meanwhile, what is its own stays.
-- ARGV: prefix, the node.
local prefix, node = ARGV[1], ARGV[2]
redis.call('DEL', prefix .. 'claim:' .. node)
-- From now on it stores something only when it has read this far (see commit.lua).
redis.call('SET', prefix .. 'fence:' .. node, position(head(prefix)), 'PX', 24 * 3600 * 1000)
local expires = redis.call('ZSCORE', prefix .. 'nodes', node)
if not expires or tonumber(expires) < now() then
    redis.call('ZREM', prefix .. 'nodes', node)
    redis.call('DEL', prefix .. 'cards:' .. node)
end
