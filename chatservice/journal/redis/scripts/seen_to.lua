-- The users of a node that had no lease have been seen to. If it is back meanwhile, what is its own stays.
-- ARGV: prefix, the node.
local prefix, node = ARGV[1], ARGV[2]
redis.call('DEL', prefix .. 'claim:' .. node)
local expires = redis.call('ZSCORE', prefix .. 'nodes', node)
if not expires or tonumber(expires) < now() then
    redis.call('ZREM', prefix .. 'nodes', node)
    redis.call('DEL', prefix .. 'cards:' .. node)
end
