/**
 * Scripts: what the server does in one step. docs/redis-protocol.md has the whole protocol.
 *
 * KEYS: meta (epoch, run, seq, settled) · log (stream, ids `<seq>-0`) · mem (member -> renewals) · act (section -> `seq member data`)
 * · pend (`section|member` -> 1: an answer is missing; `section#` -> how many; `!member` -> its renewals are refused).
 * ARGV: channel, PUBLISH or SPUBLISH, length of the log, and then those of the script, of which the first is a member, most of the time.
 *
 * Every script may run twice with the same arguments, and late. None depends on the number of ranges or keys. Numbers travel as
 * texts: `cjson.encode` would round the counter to 14 digits. A changed epoch and an unknown member are different answers: after the
 * first, a section goes on; after the second, it has been declared over.
 */
import type { Script } from './port.js';

/** What the scripts have in common. */
const COMMON = `
local call, meta, log, mem, act, pend = redis.call, KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local channel, publish, cap, member = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local function text(n) return string.format('%.0f', n) end
local function run_id() return string.match(call('INFO', 'server'), 'run_id:(%w+)') end
local function known(epoch) return call('HGET', meta, 'epoch') == epoch and call('HGET', meta, 'run') == run_id() end
local function emit(kind, sid, who, data)
  local seq = text(call('HINCRBY', meta, 'seq', 1))
  call('XADD', log, 'MAXLEN', '~', cap, seq .. '-0', 't', kind, 's', sid, 'm', who, 'd', data)
  call(publish, channel .. ':push', '[' .. seq .. ',"' .. kind .. '","' .. sid .. '","' .. who .. '",' .. data .. ']')
  return seq
end
local function section(sid)
  return string.match(call('HGET', act, sid) or '', '^(%S+) (%S+) (%S+) (.*)$')
end
local function each(f)
  for _, sid in ipairs(call('HKEYS', act)) do f(sid, section(sid)) end
end
local function asked(f)
  for _, field in ipairs(call('HKEYS', pend)) do
    local sid, who = string.match(field, '^([^|#]+)[|#](.*)$')
    if sid then f(sid, who, field) end
  end
end
local function tell(owner, kind, sid, more)
  call(publish, channel .. ':in:' .. string.match(owner, '^[^.]+'), '["' .. kind .. '","' .. sid .. '","' .. owner .. '"' .. more .. ']')
end
local function answer(sid, who, err)
  if call('HDEL', pend, sid .. '|' .. who) == 0 then return end
  local left = call('HINCRBY', pend, sid .. '#', -1)
  if left <= 0 then call('HDEL', pend, sid .. '#') end
  local _, owner = section(sid)
  if not owner then return end
  if err ~= '' then tell(owner, 'n', sid, ',' .. err) end
  if left <= 0 then tell(owner, 'k', sid, '') end
end
local function finish(sid, kind)
  local _, owner = section(sid)
  call('HDEL', act, sid)
  asked(function(of, _, field) if of == sid then call('HDEL', pend, field) end end)
  return emit(kind, sid, owner, '{}')
end
local function evict(gone, heir, at)
  call('HDEL', mem, gone)
  call('HDEL', pend, '!' .. gone)
  local taken = {}
  each(function(sid, seq, owner, _, data)
    if owner ~= gone then return end
    if heir == '' then finish(sid, 'x') return end
    call('HSET', act, sid, seq .. ' ' .. heir .. ' ' .. at .. ' ' .. data)
    for _, value in ipairs({ sid, seq, data }) do taken[#taken + 1] = value end
  end)
  asked(function(sid, who) if who == gone then answer(sid, who, '') end end)
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
if call('HEXISTS', mem, member) == 0 then
  local run = run_id()
  if call('HGET', meta, 'run') ~= run or not call('HGET', meta, 'epoch') then
    local now = call('TIME')
    local seq = math.max(tonumber(call('HGET', meta, 'seq') or '0'), tonumber(now[1]) * 1000000 + tonumber(now[2]))
    call('DEL', log, mem, act, pend)
    call('HSET', meta, 'epoch', ARGV[5], 'run', run, 'settled', '0', 'seq', text(seq))
  end
  if ARGV[6] ~= '' then evict(ARGV[6], member, '0') end
  call('HSET', mem, member, '0')
end
local of = call('HMGET', meta, 'epoch', 'seq', 'settled')
return { of[1], of[2], of[3], call('HGETALL', act), call('HGETALL', mem) }
`,
);

/** A member is still there. What it does not name of its sections, although it had announced it by then, is over. */
export const RENEW: Script = script(
  'renew',
  `
local count = tonumber(ARGV[5])
if not known(ARGV[6]) then return { 'epoch' } end
local last = call('HGET', mem, member)
if not last or call('HEXISTS', pend, '!' .. member) == 1 then return { 'gone' } end
if count > tonumber(last) then call('HSET', mem, member, ARGV[5]) end
local own = {}
for i = 7, #ARGV do own[ARGV[i]] = true end
each(function(sid, _, owner, at)
  if owner == member and not own[sid] and tonumber(at) < count then finish(sid, 'e') end
end)
return { 'ok', call('HGET', meta, 'seq'), call('HGETALL', mem) }
`,
);

/** A section begins: every other member has to answer. */
export const ANNOUNCE: Script = script(
  'announce',
  `
local sid, data = ARGV[6], ARGV[8]
if not known(ARGV[5]) then return { 'epoch' } end
if call('HEXISTS', mem, member) == 0 then return { 'gone' } end
local seq = section(sid)
if seq then return { 'ok', seq, call('HGET', pend, sid .. '#') or '0' } end
local missing = 0
for _, other in ipairs(call('HKEYS', mem)) do
  if other ~= member then
    call('HSET', pend, sid .. '|' .. other, '1')
    missing = missing + 1
  end
end
if missing > 0 then call('HSET', pend, sid .. '#', text(missing)) end
seq = emit('b', sid, member, data)
call('HSET', act, sid, seq .. ' ' .. member .. ' ' .. ARGV[7] .. ' ' .. data)
return { 'ok', seq, text(missing) }
`,
);

/** A member has let go of what a section is about; or it could not (`err`, a JSON text). */
export const ACK: Script = script('ack', `answer(ARGV[5], member, ARGV[6])\nreturn 1\n`);

/** A section is over: its number, or -1 if it was over already. */
export const END: Script = script(
  'end',
  `
local _, owner = section(ARGV[5])
return owner == member and finish(ARGV[5], ARGV[6]) or '-1'
`,
);

/** A member that has renewed since is left alone. With an heir, its sections go over to that, and its renewals do not end them. */
export const EVICT: Script = script(
  'evict',
  `
if call('HGET', mem, member) ~= ARGV[5] then return { '0' } end
return { '1', evict(member, ARGV[6], '9007199254740991') }
`,
);

/** A member leaves, whoever says so. */
export const LEAVE: Script = script('leave', `evict(member, '', '0')\nreturn 1\n`);

/** Something has changed. Where nobody has ever been, nobody has to know. */
export const NOTIFY: Script = script('notify', `return call('HGET', meta, 'epoch') and emit('h', '', '', member) or '0'\n`);

/** How many answers a section still lacks, each with its member; -1 if it is over. */
export const STATUS: Script = script(
  'status',
  `
local _, owner = section(ARGV[5])
if owner ~= member then return { '-1' } end
local missing = { call('HGET', pend, ARGV[5] .. '#') or '0' }
asked(function(sid, who) if sid == ARGV[5] and who ~= '' then missing[#missing + 1] = who end end)
return missing
`,
);

/** Everybody of the epoch before is here again, or out. */
export const SETTLE: Script = script(
  'settle',
  `
if call('HGET', meta, 'epoch') == member then call('HSET', meta, 'settled', '1') end
return 1
`,
);

/** The renewals of a member are refused from now on, so that it is out when its lease is. */
export const REFUSE: Script = script(
  'refuse',
  `
if call('HEXISTS', mem, member) == 1 then call('HSET', pend, '!' .. member, '1') end
return 1
`,
);
