/**
 * `npm run bench`: atomctl beside its peers, on servers of its own. Nothing is asserted: a busy machine is no failure.
 *
 *     npm run bench -- [--short] [--starts | --queue] [--json FILE]
 *
 * --starts measures how long a start takes, --queue what is done to a long queue, and nothing else.
 */
import {writeFileSync} from 'node:fs';
import {parseArgs} from 'node:util';
import {measureAtomWay, measureClears} from './clears.ts';
import {measureLongQueue} from './long-queue.ts';
import {machineLine} from './machine.ts';
import {measureHistories, measureLists, measureStarts} from './measurements.ts';
import {startRig} from './rig.ts';
import {markdownTable} from './table.ts';

const {short, starts, queue, json} = parseArgs({
  options: {
    short: {type: 'boolean'},
    starts: {type: 'boolean'},
    queue: {type: 'boolean'},
    json: {type: 'string'},
  },
}).values;
const plan = short
  ? {rounds: 5, clears: 1, rowByRow: 1, most: 100_000}
  : {rounds: 9, clears: 3, rowByRow: 7, most: 1_000_000};

// Whatever runs ends with this process, and its files go.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

const machine = machineLine();
const rig = await startRig();
const lines = [];
const all = [measureStarts, measureLists, measureHistories, measureClears, measureAtomWay, measureLongQueue];
const measurements = starts ? [measureStarts] : queue ? [measureLongQueue] : all;
for (const measurement of measurements) {
  lines.push(...(await measurement(rig, plan)));
  console.error(`${lines.length} comparisons after ${(performance.now() / 1000) | 0} s`);
}
await rig.end();

console.log(`${machine}\n\n${markdownTable(lines)}`);
if (json !== undefined) writeFileSync(json, `${JSON.stringify({machine, ...plan, lines}, null, 2)}\n`);
// The connections of the sites are still open, to a server that is gone.
process.exit();
