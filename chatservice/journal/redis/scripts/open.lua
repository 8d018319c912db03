-- Makes the journal if it is not there.
-- ARGV: prefix, the id that a new one gets, the version of its layout.
-- Gives: its id, where its log ends, the version of its layout.
local prefix, service, layout = ARGV[1], ARGV[2], ARGV[3]
redis.call('HSETNX', prefix .. 'head', 'service', service)
redis.call('HSETNX', prefix .. 'head', 'layout', layout)
local found = redis.call('HMGET', prefix .. 'head', 'service', 'layout')
return {found[1], position(head(prefix)), found[2]}
