import {expect, it} from 'vitest';
import {listenerOn} from '../../../src/doctor/listeners.ts';

const HEADER = '  sl  local_address rem_address   st tx_queue rx_queue\n';
const TCP = `${HEADER}   0: 0100007F:127A 00000000:0000 0A 00000000:00000000
   1: 00000000:127B 00000000:0000 0A 00000000:00000000
   2: 00000000:127C 0100007F:D431 01 00000000:00000000
   3: 0100007F:D431 00000000:127D 0A 00000000:00000000
`;
const TCP6 = `${HEADER}   0: 00000000000000000000000000000000:127E 00000000000000000000000000000000:0000 0A
   1: 00000000000000000000000001000000:127F 00000000000000000000000000000000:0000 0A
`;

it.each([
  ['one address', 4730, 'chosen'],
  ['every address', 4731, 'every'],
  ['no socket, only a connection from it', 4732, 'none'],
  ["another socket's remote port", 4733, 'none'],
  ['every address of IPv6', 4734, 'every'],
  ['one address of IPv6', 4735, 'chosen'],
] as const)('sees a listener on %s', (_, port, found) => {
  expect(listenerOn(port, [TCP, TCP6])).toBe(found);
});
