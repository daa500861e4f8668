/** `npm run crash-points -- [--every N] [--seed S] [--act TITLE] [--minutes N]`: plays the table, or a part of it. */
import {parseArgs} from 'node:util';
import {removeScratch} from '../../support/scratch.ts';
import {startMariadb} from '../../support/servers/mariadb.ts';
import {runAlone} from './alone.ts';
import {playCrashPoints} from './play.ts';
import type {Played} from './strike.ts';
import {brokenText, summaryOf} from './summary.ts';

const {values} = parseArgs({
  options: {
    every: {type: 'string', default: '1'},
    seed: {type: 'string', default: '0'},
    act: {type: 'string'},
    minutes: {type: 'string'},
  },
});

let count = 0;
function showProgress(played: Played): void {
  count += 1;
  if (played.broken.length > 0) process.stderr.write(`${brokenText(played)}\n`);
  else if (count % 100 === 0) process.stderr.write(`${count} played\n`);
}

const status = runAlone();
if (status === null) await play();
else process.exitCode = status;

async function play(): Promise<void> {
  const mariadb = await startMariadb();
  try {
    const report = await playCrashPoints(mariadb, {
      every: Number(values.every),
      seed: Number(values.seed),
      act: values.act,
      untilMs:
        values.minutes === undefined
          ? Number.POSITIVE_INFINITY
          : Date.now() + Number(values.minutes) * 60_000,
      onPlayed: showProgress,
    });
    process.stdout.write(`\n${summaryOf(report)}\n`);
    process.exitCode = report.tables.some(({played}) => played.some(({broken}) => broken.length > 0)) ? 1 : 0;
  } finally {
    await mariadb.kill();
    removeScratch();
  }
  // What is left in the event loop has kept some runs from ending.
  process.exit();
}
