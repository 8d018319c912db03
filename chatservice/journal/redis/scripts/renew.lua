-- Renews a node's lease, and gives the nodes that have one.
-- ARGV: prefix, the node, for how many milliseconds.
local key, time = ARGV[1] .. 'nodes', now()
redis.call('ZADD', key, time + tonumber(ARGV[3]), ARGV[2])
return redis.call('ZRANGEBYSCORE', key, time, '+inf')
