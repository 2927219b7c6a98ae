/**
 * Scripts: what the server does in one step. docs/redis-protocol.md has the whole protocol.
 *
 * KEYS: meta (epoch, run, seq, settled) · log (stream, ids `<seq>-0`) · mem (member -> renewals) · act (section -> `seq member data`)
 * · pend (`section|member` -> 1: an answer is missing; `section#` -> how many; `!member` -> its renewals are refused).
 * ARGV: channel, PUBLISH or SPUBLISH, length of the log, and then those of the script.
 *
 * Every script may run twice with the same arguments, and late. None depends on the number of ranges or keys. Numbers travel as
 * texts: `cjson.encode` would round the counter to 14 digits. A changed epoch and an unknown member are different answers: after the
 * first, a section goes on; after the second, it has been declared over.
 */
import type { Script } from './port.js';

/** What the scripts have in common. */
const COMMON = `
local meta, log, mem, act, pend = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local channel, publish, cap = ARGV[1], ARGV[2], ARGV[3]
local function text(n) return string.format('%.0f', n) end
local function run_id() return string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') end
local function emit(kind, sid, member, data)
  local seq = text(redis.call('HINCRBY', meta, 'seq', 1))
  redis.call('XADD', log, 'MAXLEN', '~', cap, seq .. '-0', 't', kind, 's', sid, 'm', member, 'd', data)
  redis.call(publish, channel .. ':push', '[' .. seq .. ',"' .. kind .. '","' .. sid .. '","' .. member .. '",' .. data .. ']')
  return seq
end
local function known(epoch)
  return redis.call('HGET', meta, 'epoch') == epoch and redis.call('HGET', meta, 'run') == run_id()
end
local function section(sid)
  local entry = redis.call('HGET', act, sid)
  if not entry then return nil end
  return string.match(entry, '^(%S+) (%S+) (%S+) (.*)$')
end
local function tell(member, message)
  redis.call(publish, channel .. ':in:' .. string.match(member, '^[^.]+'), message)
end
local function answer(sid, member, err)
  if redis.call('HDEL', pend, sid .. '|' .. member) == 0 then return end
  local left = redis.call('HINCRBY', pend, sid .. '#', -1)
  if left <= 0 then redis.call('HDEL', pend, sid .. '#') end
  local _, owner = section(sid)
  if not owner then return end
  if err ~= '' then tell(owner, '["n","' .. sid .. '","' .. owner .. '",' .. err .. ']') end
  if left <= 0 then tell(owner, '["k","' .. sid .. '","' .. owner .. '"]') end
end
local function finish(sid, kind)
  local _, owner = section(sid)
  redis.call('HDEL', act, sid)
  for _, field in ipairs(redis.call('HKEYS', pend)) do
    if string.sub(field, 1, #sid + 1) == sid .. '|' or field == sid .. '#' then redis.call('HDEL', pend, field) end
  end
  return emit(kind, sid, owner, '{}')
end
local function evict(member, heir, at)
  redis.call('HDEL', mem, member)
  redis.call('HDEL', pend, '!' .. member)
  local taken = {}
  local entries = redis.call('HGETALL', act)
  for i = 1, #entries, 2 do
    local seq, owner, count, data = string.match(entries[i + 1], '^(%S+) (%S+) (%S+) (.*)$')
    if owner == member then
      if heir == '' then finish(entries[i], 'x')
      else
        redis.call('HSET', act, entries[i], seq .. ' ' .. heir .. ' ' .. at .. ' ' .. data)
        taken[#taken + 1] = entries[i]
        taken[#taken + 1] = seq
        taken[#taken + 1] = data
      end
    end
  end
  for _, field in ipairs(redis.call('HKEYS', pend)) do
    local sid, who = string.match(field, '^([^|]+)|(.*)$')
    if who == member then answer(sid, member, '') end
  end
  return taken
end
`;

function script(name: string, text: string): Script {
  return { name, text: COMMON + text };
}

/** A member comes in, and takes over what it had begun as another one. `fresh` is used if the server knows none, or was started anew. */
export const JOIN: Script = script(
  'join',
  `
local member, fresh, before = ARGV[4], ARGV[5], ARGV[6]
if redis.call('HEXISTS', mem, member) == 0 then
  local run = run_id()
  if redis.call('HGET', meta, 'run') ~= run or not redis.call('HGET', meta, 'epoch') then
    local now = redis.call('TIME')
    local seq = tonumber(redis.call('HGET', meta, 'seq') or '0')
    local micros = tonumber(now[1]) * 1000000 + tonumber(now[2])
    redis.call('DEL', log, mem, act, pend)
    redis.call('HSET', meta, 'epoch', fresh, 'run', run, 'settled', '0', 'seq', text(math.max(seq, micros)))
  end
  if before ~= '' then evict(before, member, '0') end
  redis.call('HSET', mem, member, '0')
end
local of = redis.call('HMGET', meta, 'epoch', 'seq', 'settled')
return { of[1], of[2], of[3], redis.call('HGETALL', act), redis.call('HGETALL', mem) }
`,
);

/** A member is still there. What it does not name of its sections, although it had announced it by then, is over. */
export const RENEW: Script = script(
  'renew',
  `
local member, count, epoch = ARGV[4], tonumber(ARGV[5]), ARGV[6]
if not known(epoch) then return { 'epoch' } end
local last = redis.call('HGET', mem, member)
if not last or redis.call('HEXISTS', pend, '!' .. member) == 1 then return { 'gone' } end
if count > tonumber(last) then redis.call('HSET', mem, member, ARGV[5]) end
local own = {}
for i = 7, #ARGV do own[ARGV[i]] = true end
local entries = redis.call('HGETALL', act)
for i = 1, #entries, 2 do
  local _, owner, at = string.match(entries[i + 1], '^(%S+) (%S+) (%S+)')
  if owner == member and not own[entries[i]] and tonumber(at) < count then finish(entries[i], 'e') end
end
return { 'ok', redis.call('HGET', meta, 'seq'), redis.call('HGETALL', mem) }
`,
);

/** A section begins: every other member has to answer. */
export const ANNOUNCE: Script = script(
  'announce',
  `
local member, epoch, sid, count, data = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
if not known(epoch) then return { 'epoch' } end
if redis.call('HEXISTS', mem, member) == 0 then return { 'gone' } end
local seq = section(sid)
if seq then return { 'ok', seq, redis.call('HGET', pend, sid .. '#') or '0' } end
local missing = 0
for _, other in ipairs(redis.call('HKEYS', mem)) do
  if other ~= member then
    redis.call('HSET', pend, sid .. '|' .. other, '1')
    missing = missing + 1
  end
end
if missing > 0 then redis.call('HSET', pend, sid .. '#', text(missing)) end
seq = emit('b', sid, member, data)
redis.call('HSET', act, sid, seq .. ' ' .. member .. ' ' .. count .. ' ' .. data)
return { 'ok', seq, text(missing) }
`,
);

/** A member has let go of what a section is about; or it could not (`err`, a JSON text). */
export const ACK: Script = script('ack', `answer(ARGV[5], ARGV[4], ARGV[6])\nreturn 1\n`);

/** A section is over: its number, or -1 if it was over already. */
export const END: Script = script(
  'end',
  `
local _, owner = section(ARGV[5])
if owner ~= ARGV[4] then return '-1' end
return finish(ARGV[5], ARGV[6])
`,
);

/** A member that has renewed since is left alone. With an heir, its sections go over to that, and its renewals do not end them. */
export const EVICT: Script = script(
  'evict',
  `
if redis.call('HGET', mem, ARGV[4]) ~= ARGV[5] then return { '0' } end
return { '1', evict(ARGV[4], ARGV[6], '9007199254740991') }
`,
);

/** A member leaves, whoever says so. */
export const LEAVE: Script = script('leave', `evict(ARGV[4], '', '0')\nreturn 1\n`);

/** Something has changed. Where nobody has ever been, nobody has to know. */
export const NOTIFY: Script = script(
  'notify',
  `
if not redis.call('HGET', meta, 'epoch') then return '0' end
return emit('h', '', '', ARGV[4])
`,
);

/** How many answers a section still lacks, each with its member; -1 if it is over. */
export const STATUS: Script = script(
  'status',
  `
local _, owner = section(ARGV[5])
if owner ~= ARGV[4] then return { '-1' } end
local missing = { redis.call('HGET', pend, ARGV[5] .. '#') or '0' }
for _, field in ipairs(redis.call('HKEYS', pend)) do
  local sid, who = string.match(field, '^([^|]+)|(.*)$')
  if sid == ARGV[5] then missing[#missing + 1] = who end
end
return missing
`,
);

/** Everybody of the epoch before is here again, or out. */
export const SETTLE: Script = script(
  'settle',
  `
if redis.call('HGET', meta, 'epoch') == ARGV[4] then redis.call('HSET', meta, 'settled', '1') end
return 1
`,
);

/** The renewals of a member are refused from now on, so that it is out when its lease is. */
export const REFUSE: Script = script(
  'refuse',
  `
if redis.call('HEXISTS', mem, ARGV[4]) == 1 then redis.call('HSET', pend, '!' .. ARGV[4], '1') end
return 1
`,
);
