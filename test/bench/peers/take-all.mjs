/** A worker that takes every waiting job of some functions once, one after the other, and leaves. */
import {connectGearman, TYPE} from '../../support/servers/gearman-wire.mjs';

const [endpoint, ...functions] = process.argv.slice(2);
const gearman = await connectGearman(endpoint);
for (const name of functions) gearman.send(TYPE.CAN_DO, name);
let packet;
do {
  gearman.send(TYPE.GRAB_JOB);
  packet = await gearman.receive();
} while (packet?.type === TYPE.JOB_ASSIGN);
gearman.close();
