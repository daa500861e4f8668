import {type Command, type Measured, measure} from './measured-process.ts';

export interface Contestant extends Command {
  /** Done before each run, and not measured. */
  prepare?: () => Promise<unknown>;
  /** Done after each run: throws if the command did not do its work. */
  check?: () => Promise<void>;
}

export interface Spread {
  median: number;
  least: number;
  most: number;
}

export interface Figures {
  wallSeconds: Spread;
  cpuSeconds: Spread;
  /** The highest of all runs. */
  peakMib: number;
}

/** Runs the contestants in turn, round after round, so that what else the machine does meets them all alike. */
export async function contest<Name extends string>(
  contestants: Readonly<Record<Name, Contestant>>,
  {rounds, warmUps}: {rounds: number; warmUps: number},
): Promise<Record<Name, Figures>> {
  const names = Object.keys(contestants) as Name[];
  const runs = new Map<Name, Measured[]>(names.map((name) => [name, []]));
  for (let round = -warmUps; round < rounds; round++) {
    for (const name of names) {
      const contestant = contestants[name];
      await contestant.prepare?.();
      const measured = await measure(contestant);
      await contestant.check?.();
      if (round >= 0) runs.get(name)!.push(measured);
    }
  }
  return Object.fromEntries(names.map((name) => [name, figuresOf(runs.get(name)!)])) as Record<Name, Figures>;
}

function figuresOf(runs: readonly Measured[]): Figures {
  return {
    wallSeconds: spread(runs.map(({wallSeconds}) => wallSeconds)),
    cpuSeconds: spread(runs.map(({cpuSeconds}) => cpuSeconds)),
    peakMib: Math.max(...runs.map(({peakMib}) => peakMib)),
  };
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return {median, least: sorted[0]!, most: sorted.at(-1)!};
}

/** The same figures with other times: for a part of what was measured, or for more of the same. */
export function moved(figures: Figures, change: (seconds: number) => number): Figures {
  const {median, least, most} = figures.wallSeconds;
  return {
    ...figures,
    wallSeconds: {median: change(median), least: change(least), most: change(most)},
  };
}
