-- Renews a node's lease, and gives the nodes that have one. Of those that have none any more nothing is kept here.
-- ARGV: prefix, the node, for how many milliseconds.
local key, time = ARGV[1] .. 'nodes', now()
redis.call('ZADD', key, time + tonumber(ARGV[3]), ARGV[2])
redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('(%.0f', time))
return redis.call('ZRANGEBYSCORE', key, time, '+inf')
