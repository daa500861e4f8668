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
    {says: 'Which site, database and queue is this, and how do we know?', command: 'atomctl config'},
    {says: 'The Manage > Jobs page in a shell, newest first.', command: 'atomctl jobs:list --limit 12'},
    {
      says: 'What failed of late?',
      command: 'atomctl jobs:list --failed --limit 5 --columns id,started,name,user,info',
    },
    {
      says: 'Imports and exports that Marie started, longest first.',
      command:
        "atomctl jobs:list --name 'ar*ImportJob' --name '* export' --user marie --sort -duration --limit 5",
    },
    {says: 'One failed job, whole.', command: `atomctl jobs:show ${failed} | head -n 30`},
    {
      says: 'How is the queue? One job is lost, so the exit status is 1.',
      command: 'atomctl queue:status',
      exits: 1,
    },
    {says: 'Who works on it?', command: 'atomctl queue:workers'},
    {
      says: 'AtoM calls all of these running. One executes, five wait, one will never end:',
      command: 'atomctl jobs:list --running --probe --columns id,started,duration,name,live,info',
    },
    {says: 'Why does the third of them not move?', command: `atomctl jobs:why ${third} --probe`},
    {says: 'And what is it waiting for?', command: `atomctl jobs:why ${executing}`},
    {
      says: 'Kill the third of the five that wait …',
      command: `atomctl jobs:kill ${third} --reason 'submitted by mistake' --yes`,
    },
    {
      says: '… and its neighbours wait on, in their order.',
      command: 'atomctl jobs:list --live queued --probe --sort id --columns id,name,live',
    },
    {says: 'Kill the lost one too.', command: `atomctl jobs:kill ${lost} --yes`},
    {
      says: 'One that executes is refused as long as the worker may not be restarted.',
      command: `atomctl jobs:kill ${executing} --yes`,
      exits: 5,
    },
    {
      says: 'Run a failed finding aid again. What would that do?',
      command: `atomctl jobs:retry ${repeatable} --dry-run`,
    },
    {
      says: 'A new job waits in the queue, and a note on both names the other.',
      command: `atomctl jobs:retry ${repeatable} --reason 'the font is installed' --yes && atomctl jobs:show ${repeatable} --no-live`,
    },
    {says: 'The history as AtoM’s own CSV.', command: 'atomctl jobs:export-csv --failed | head -n 6'},
    {
      says: 'Without a terminal to ask on, nothing is cleared unless told so.',
      command: 'atomctl jobs:clear --inactive </dev/null',
      exits: 2,
    },
    {says: 'What would go?', command: 'atomctl jobs:clear --older-than 60d --dry-run'},
    {
      says: 'Prune the old ones, saving them first.',
      command: 'atomctl jobs:clear --older-than 60d --inactive --export pruned.csv --yes && wc -l pruned.csv',
    },
    {
      says: 'Clear all inactive jobs, as AtoM’s button does.',
      command: 'atomctl jobs:clear --inactive --no-confirmation --json',
    },
    {says: 'What is left runs, or waits.', command: 'atomctl jobs:list'},
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
    console.log(`# This ended with ${code} and should have ended with ${exits}.`);
  }
  return wrong;
}

/** Streams are our own, so that on a terminal the demo looks as the commands do. */
async function runInShell(command: string, {env, cwd}: DemoSite): Promise<number | null> {
  const child = spawn('bash', ['-c', command], {env, cwd, stdio: 'inherit'});
  const [code] = await once(child, 'exit');
  return code;
}
