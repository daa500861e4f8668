/** What passes between atomctl and its servers, cut into messages that have a name. */

export type Server = 'MySQL' | 'Gearman';

/** The whole messages at the beginning of what a client has sent, and the rest. */
export interface Cut {
  messages: {name: string; bytes: Buffer}[];
  rest: Buffer;
}

/** Before this number a MySQL packet has three bytes of length; a command is the first packet of an exchange. */
const SEQUENCE_AT = 3;
const MYSQL_HEADER = 4;
const QUERY = 3;
const QUIT = 1;

/** Statements by their verb and table. The packets of a login are one message each, a good-bye has no name. */
export function cutMysql(bytes: Buffer): Cut {
  const messages: Cut['messages'] = [];
  let at = 0;
  while (bytes.length >= at + MYSQL_HEADER) {
    const end = at + MYSQL_HEADER + bytes.readUIntLE(at, 3);
    if (bytes.length < end) break;
    const packet = bytes.subarray(at, end);
    messages.push({name: mysqlName(packet), bytes: packet});
    at = end;
  }
  return {messages, rest: bytes.subarray(at)};
}

function mysqlName(packet: Buffer): string {
  if (packet[SEQUENCE_AT] !== 0) return 'login';
  const command = packet[MYSQL_HEADER];
  if (command === QUIT) return '';
  return command === QUERY ? statementName(packet.toString('utf8', MYSQL_HEADER + 1)) : `command ${command}`;
}

const FIRST_TABLE = /\b(?:FROM|INTO|UPDATE)\s+`?([\w.]+)/i;

/** `SELECT job FOR UPDATE`, `INSERT note`, `COMMIT`: no ids and no times, so that it is the same in each run. */
export function statementName(sql: string): string {
  const text = sql.replace(/\s+/g, ' ').trim();
  const [, named] = /^(START TRANSACTION|COMMIT|ROLLBACK|KILL QUERY|DO \w+|SET \w+ \w+)/.exec(text) ?? [];
  if (named !== undefined) return named;
  const [, lock] = /\b(\w+_LOCK)\(/.exec(text) ?? [];
  const [verb] = text.split(' ', 1);
  const [, table] = FIRST_TABLE.exec(text) ?? [];
  const locking = / FOR UPDATE$/.test(text) ? 'FOR UPDATE' : '';
  return [verb, lock ?? table, locking].filter(Boolean).join(' ');
}

const GEARMAN_HEADER = 12;
const ECHO_REQ = 16;

/** The names of the packets that atomctl sends. */
const PACKETS: Readonly<Record<number, string>> = {
  1: 'CAN_DO',
  3: 'RESET_ABILITIES',
  7: 'SUBMIT_JOB',
  13: 'WORK_COMPLETE',
  14: 'WORK_FAIL',
  15: 'GET_STATUS',
  22: 'SET_CLIENT_ID',
  30: 'GRAB_JOB_UNIQ',
  36: 'SUBMIT_JOB_EPOCH',
  41: 'GET_STATUS_UNIQUE',
};

export interface GearmanPacket {
  type: number;
  fields: string[];
}

/** The whole packets at the beginning of these bytes, and where the rest begins. */
export function gearmanPackets(bytes: Buffer): {packets: GearmanPacket[]; end: number} {
  const packets: GearmanPacket[] = [];
  let at = 0;
  while (bytes.length >= at + GEARMAN_HEADER && bytes[at] === 0) {
    const end = at + GEARMAN_HEADER + bytes.readUInt32BE(at + 8);
    if (bytes.length < end) break;
    const fields = bytes.toString('utf8', at + GEARMAN_HEADER, end).split('\0');
    packets.push({type: bytes.readUInt32BE(at + 4), fields});
    at = end;
  }
  return {packets, end: at};
}

/** An administrative command is one message, and so are all packets up to the echo with which atomctl ends an exchange. */
export function cutGearman(bytes: Buffer): Cut {
  if (bytes.length === 0) return {messages: [], rest: bytes};
  if (bytes[0] !== 0) {
    const end = bytes.indexOf('\n') + 1;
    if (end === 0) return {messages: [], rest: bytes};
    return {
      messages: [{name: commandName(bytes.toString('utf8', 0, end)), bytes: bytes.subarray(0, end)}],
      rest: bytes.subarray(end),
    };
  }
  const {packets, end} = gearmanPackets(bytes);
  if (end < bytes.length || packets.at(-1)?.type !== ECHO_REQ) return {messages: [], rest: bytes};
  const names = packets.slice(0, -1).map(({type}) => PACKETS[type] ?? `packet ${type}`);
  const name = names.filter((each, index) => each !== names[index - 1]).join(', ');
  return {
    messages: [{name: name.length > 60 ? `${name.slice(0, 57)}...` : name, bytes}],
    rest: Buffer.alloc(0),
  };
}

/** Without its argument. */
function commandName(line: string): string {
  return /^(?:cancel job|drop function|show \w+(?: jobs)?|\w+)/.exec(line.trim())?.[0] ?? 'command';
}

const READS = /^(?:login|SET|SHOW|SELECT|status|workers|version|show|GET_STATUS)\b/;

/** Whether a message with this name leaves its server as it is: nothing is changed, locked or taken. */
export function readsOnly(name: string): boolean {
  return READS.test(name) && !/FOR UPDATE|_LOCK/.test(name);
}
