import type {MariadbConnection} from '../../support/servers/mariadb.ts';
import {ACTS, type Act} from './acts.ts';
import {createStage} from './scene.ts';
import {type CrashPoint, crashPoints, type Played, stepsOf, strike} from './strike.ts';

export interface PlayOptions {
  /** Plays every n-th crash point of the table, beginning with the one that the seed says. 1 plays all. */
  every: number;
  seed: number;
  /** Only acts whose title has this text. */
  act?: string | undefined;
  /** Ends after the crash points that are being played then. */
  untilMs?: number;
  onPlayed?: (played: Played) => void;
}

export interface ActTable {
  act: Act;
  steps: number;
  /** How many crash points the whole table has for it. */
  points: number;
  played: Played[];
}

export interface Report {
  options: Pick<PlayOptions, 'every' | 'seed'>;
  tables: ActTable[];
  seconds: number;
}

/** Most of the time is spent on starting atomctl, which one core does while another core's is being asked. */
const AT_ONCE = 3;

/** Records the steps of each act, makes the table of crash points from them, and plays it or a part of it. */
export async function playCrashPoints(mariadb: MariadbConnection, options: PlayOptions): Promise<Report> {
  const {every, seed, act: title = '', untilMs = Number.POSITIVE_INFINITY} = options;
  const began = Date.now();
  const stages = await Promise.all(Array.from({length: AT_ONCE}, () => createStage(mariadb)));
  try {
    const tables: ActTable[] = [];
    const chosen: {table: ActTable; point: CrashPoint}[] = [];
    const known = new Set<string>();
    let index = seed % every;
    for (const act of ACTS.filter((each) => each.title.includes(title))) {
      const steps = await stepsOf(stages[0]!, act);
      const points = crashPoints(steps, known);
      const table: ActTable = {act, steps: steps.length, points: points.length, played: []};
      tables.push(table);
      for (const point of points) if (index++ % every === 0) chosen.push({table, point});
    }
    let next = 0;
    await Promise.all(
      stages.map(async (stage) => {
        while (next < chosen.length && Date.now() < untilMs) {
          const {table, point} = chosen[next++]!;
          const played = await strike(stage, table.act, point);
          table.played.push(played);
          options.onPlayed?.(played);
        }
      }),
    );
    return {options: {every, seed}, tables, seconds: (Date.now() - began) / 1000};
  } finally {
    await Promise.all(stages.map((stage) => stage.close()));
  }
}
