import {spawn} from 'node:child_process';
import {once} from 'node:events';
import type {DemoSite} from './demo-site.ts';
import type {DemoJobs} from './fill-site.ts';

/** One step of the walk: what it shows, the command line, and the exit status that it must have. */
interface Step {
  says: string;
  command: string;
  exits?: number;
}

function steps({failed, repeatable, lost, executing, queued}: DemoJobs): Step[] {
  const third = queued[2]!;
  return [
    {
      says: 'Show the site, the database and the queue, and where each setting comes from.',
      command: 'atomctl config',
    },
    {
      says: 'List the jobs, newest first, as on the Manage > Jobs page.',
      command: 'atomctl jobs:list --limit 12',
    },
    {
      says: 'List the newest failed jobs.',
      command: 'atomctl jobs:list --failed --limit 5 --columns id,started,name,user,info',
    },
    {
      says: 'List imports and exports that Marie started, longest first.',
      command:
        "atomctl jobs:list --name 'ar*ImportJob' --name '* export' --user marie --sort -duration --limit 5",
    },
    {says: 'Show one failed job.', command: `atomctl jobs:show ${failed} | head -n 30`},
    {
      says: 'Check the queue. One job is lost, so the exit status is 1.',
      command: 'atomctl queue:status',
      exits: 1,
    },
    {says: 'Show the workers.', command: 'atomctl queue:workers'},
    {
      says: 'List the jobs that AtoM calls running. One is executing, five are queued, one is lost:',
      command: 'atomctl jobs:list --running --probe --columns id,started,duration,name,live,info',
    },
    {says: 'Why does the third of them not move?', command: `atomctl jobs:why ${third} --probe`},
    {says: 'And what is it waiting for?', command: `atomctl jobs:why ${executing}`},
    {
      says: 'Kill the third of the five queued jobs.',
      command: `atomctl jobs:kill ${third} --reason 'submitted by mistake' --yes`,
    },
    {
      says: 'The other queued jobs still wait, in their order.',
      command: 'atomctl jobs:list --live queued --probe --sort id --columns id,name,live',
    },
    {says: 'Kill the lost job, too.', command: `atomctl jobs:kill ${lost} --yes`},
    {
      says: 'A kill of the executing job is refused: only the end of its worker ends it.',
      command: `atomctl jobs:kill ${executing} --yes`,
      exits: 5,
    },
    {
      says: 'Show what a retry of a failed finding aid would do.',
      command: `atomctl jobs:retry ${repeatable} --dry-run`,
    },
    {
      says: 'Retry it. A new job waits in the queue, and each of the two jobs has a note about the other.',
      command: `atomctl jobs:retry ${repeatable} --reason 'the font is installed' --yes && atomctl jobs:show ${repeatable} --no-live`,
    },
    {says: 'Export the history as AtoM’s own CSV.', command: 'atomctl jobs:export-csv --failed | head -n 6'},
    {
      says: 'Without a terminal and without --yes, nothing is cleared.',
      command: 'atomctl jobs:clear --inactive </dev/null',
      exits: 2,
    },
    {says: 'Show what would be cleared.', command: 'atomctl jobs:clear --older-than 60d --dry-run'},
    {
      says: 'Save the old jobs in a file, then clear them.',
      command:
        'atomctl jobs:clear --older-than 60d --inactive --export pruned.csv --yes && head -n 3 pruned.csv',
    },
    {
      says: 'Clear all inactive jobs, as AtoM’s button does.',
      command: 'atomctl jobs:clear --inactive --no-confirmation --json',
    },
    {says: 'List the jobs again: they are running or queued.', command: 'atomctl jobs:list'},
  ];
}

/** Runs every step, printing its command line and its own output. Returns how many went otherwise than they must. */
export async function walk(demo: DemoSite): Promise<number> {
  let wrong = 0;
  for (const {says, command, exits = 0} of steps(demo.jobs)) {
    console.log(`\n# ${says}\n$ ${command}`);
    const code = await runInShell(command, demo);
    if (code === exits) continue;
    wrong += 1;
    console.log(`# The exit status is ${code}, but must be ${exits}.`);
  }
  return wrong;
}

/** Streams are our own, so that on a terminal the demo looks as the commands do. */
async function runInShell(command: string, {env, cwd}: DemoSite): Promise<number | null> {
  const child = spawn('bash', ['-c', command], {env, cwd, stdio: 'inherit'});
  const [code] = await once(child, 'exit');
  return code;
}
