import type {SceneJob, SceneOptions} from './scene.ts';

/** Which result a command prints, and so what can be compared with the servers. */
export type Kind = 'kill' | 'mark' | 'clear' | 'fix' | 'retry';

/** One command, and what is to become of the jobs that it names; it leaves all others alone. */
export interface Act extends SceneOptions {
  title: string;
  kind: Kind;
  args(id: (label: string) => number): string[];
  /** The jobs that it names, by label, and what their rows become. */
  named: Readonly<Record<string, 'completed' | 'error' | 'gone'>>;
}

const NOTHING_MORE = {worker: false, surplus: false, orphan: false, repeatable: false};
const YES = ['--yes', '--json'];

const ALL_PLAIN = {
  ended: 'gone',
  lost: 'gone',
  finished: 'gone',
  'plain 1': 'gone',
  'plain begun': 'gone',
  'plain never begun': 'gone',
  'plain last': 'gone',
} as const;

export const ACTS: readonly Act[] = [
  {
    ...NOTHING_MORE,
    title: 'kill by key',
    kind: 'kill',
    args: (id) => ['jobs:kill', `${id('plain begun')}`, `${id('serial begun')}`, ...YES],
    named: {'plain begun': 'error', 'serial begun': 'error'},
  },
  {
    ...NOTHING_MORE,
    title: 'kill by payload',
    kind: 'kill',
    args: (id) => ['jobs:kill', `${id('plain never begun')}`, `${id('serial never begun')}`, ...YES],
    named: {'plain never begun': 'error', 'serial never begun': 'error'},
  },
  {
    ...NOTHING_MORE,
    title: 'kill --delete',
    kind: 'kill',
    args: (id) => ['jobs:kill', `${id('plain begun')}`, `${id('plain never begun')}`, '--delete', ...YES],
    named: {'plain begun': 'gone', 'plain never begun': 'gone'},
  },
  {
    ...NOTHING_MORE,
    worker: true,
    title: 'kill --restart-worker',
    kind: 'kill',
    args: (id) => ['jobs:kill', `${id('executing')}`, '--restart-worker', ...YES],
    named: {executing: 'error'},
  },
  {
    ...NOTHING_MORE,
    title: 'kill of a lost job',
    kind: 'kill',
    args: (id) => ['jobs:kill', `${id('lost')}`, ...YES],
    named: {lost: 'error'},
  },
  {
    ...NOTHING_MORE,
    title: 'mark --as completed',
    kind: 'mark',
    args: (id) => ['jobs:mark', `${id('finished')}`, '--as', 'completed', ...YES],
    named: {finished: 'completed'},
  },
  {
    ...NOTHING_MORE,
    title: 'mark --as error',
    kind: 'mark',
    args: (id) => ['jobs:mark', `${id('lost')}`, `${id('ended')}`, '--as', 'error', ...YES],
    named: {lost: 'error', ended: 'error'},
  },
  {
    ...NOTHING_MORE,
    title: 'clear --name',
    kind: 'clear',
    args: () => ['jobs:clear', '--name', 'arFindingAidJob', '--batch-size', '3', ...YES],
    named: ALL_PLAIN,
  },
  {
    ...NOTHING_MORE,
    surplus: true,
    title: 'clear --all-queued',
    kind: 'clear',
    args: () => ['jobs:clear', '--all-queued', '--batch-size', '6', ...YES],
    named: {
      ...ALL_PLAIN,
      'serial 1': 'gone',
      'serial begun': 'gone',
      'serial never begun': 'gone',
      surplus: 'gone',
    },
  },
  {
    ...NOTHING_MORE,
    orphan: true,
    title: 'doctor --fix',
    kind: 'fix',
    args: () => [
      'doctor',
      '--fix',
      ...['lost-jobs', 'finished-jobs', 'orphans'].flatMap((id) => ['--check', id]),
      ...YES,
    ],
    named: {lost: 'error', finished: 'completed'},
  },
  {
    ...NOTHING_MORE,
    worker: true,
    repeatable: true,
    title: 'retry',
    kind: 'retry',
    args: (id) => ['jobs:retry', `${id('failed')}`, ...YES],
    named: {failed: 'error'},
  },
  {
    ...NOTHING_MORE,
    worker: true,
    repeatable: true,
    title: 'retry of a lost job',
    kind: 'retry',
    args: (id) => ['jobs:retry', `${id('lost report')}`, ...YES],
    named: {'lost report': 'error'},
  },
];

export function labelled(jobs: readonly SceneJob[]): (label: string) => number {
  return (label) => jobs.find((job) => job.label === label)!.id;
}
