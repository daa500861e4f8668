import {once} from 'node:events';
import {connect, createServer, type Socket} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {hasTmux, startTmux, type Tmux} from '../support/atomctl/tmux.ts';
import {
  ATOMCTL,
  type AtomSite,
  createSite,
  type GearmanProcess,
  runAtomctl,
  startAtomctl,
  startGearmand,
  until,
} from '../support/sandbox.ts';

const JOBS = 60;

let gearmand: GearmanProcess;
let site: AtomSite;
let first: number;

beforeAll(async () => {
  gearmand = await startGearmand();
  site = await createSite({gearman: [gearmand.endpoint]});
  first = await site.seedJobs(JOBS);
});

afterAll(async () => {
  await Promise.all([gearmand?.stop(), site?.drop()]);
});

const watch = (...args: string[]) => startAtomctl(args, {env: site.env});
const lines = (text: string) => text.trimEnd().split('\n');
const interrupted = async (watching: ReturnType<typeof watch>) => {
  watching.child.kill('SIGINT');
  return (await watching.ended).code;
};

describe('in a pipe', () => {
  test('prints a block for each poll, under its time', async () => {
    const watching = watch('jobs', 'list', '--watch=0.2', '--limit', '2', '--columns', 'id,status');
    const times = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/gm;
    await until(() => (watching.stdout().match(times) ?? []).length > 2);
    expect(await interrupted(watching)).toBe(130);
    const blocks = watching.stdout().split('\n\n').slice(0, 2);
    const table = ['ID  STATUS', `${first + JOBS - 1}  completed`, `${first + JOBS - 2}  completed`];
    for (const block of blocks) {
      const [time, header, ...rest] = lines(block);
      expect(time).toMatch(/^\d{4}-/);
      expect([header!.replace(/ +/, '  ').trim(), ...rest]).toEqual([
        ...table,
        expect.stringMatching(/^2 of 60/),
      ]);
    }
    expect(watching.stdout()).not.toContain('\u001b');
  });

  test('with --json prints one document per line, the same as without --watch', async () => {
    const [list, queue] = [
      watch('jobs:list', '--watch=0.1', '--json'),
      watch('queue:status', '--watch=0.1', '--json'),
    ];
    await until(() => lines(list.stdout()).length > 2 && lines(queue.stdout()).length > 2);
    expect([await interrupted(list), await interrupted(queue)]).toEqual([130, 130]);
    const plain = await runAtomctl(['jobs:list', '--json'], {env: site.env});
    expect(lines(list.stdout()).map((line) => JSON.parse(line))[1]).toEqual(JSON.parse(plain.stdout));
    for (const line of lines(queue.stdout())) {
      expect(JSON.parse(line)).toMatchObject({status: 'critical', servers: [{address: gearmand.endpoint}]});
    }
  });

  test('--watch alone polls every two seconds; flags that exclude it are a usage error', async () => {
    const {stdout} = await runAtomctl(['jobs:list', '--help']);
    expect(stdout).toContain('--watch[=SECONDS]');
    const wrong = [
      ['jobs:list', '--watch', '--csv'],
      ['jobs:list', '--watch', '--probe'],
      ['jobs:list', '--watch=often'],
      ['jobs:list', '--watch', '--columns', 'nothing'],
      ['queue:status', '--watch', '--nagios'],
      ['queue:status', '--wait', '3', '--watch'],
    ];
    const results = await Promise.all(wrong.map((args) => runAtomctl(args, {env: site.env})));
    expect(results.map(({code}, index) => [wrong[index], code])).toEqual(
      wrong.map((args) => [args, args.includes('--nagios') ? 3 : 2]),
    );
  });

  test('reports a server that goes away, tries again, and finds it when it is back', async () => {
    const door = await openDoor(site.config.port);
    const url = new URL(site.databaseUrl);
    url.port = String(door.port);
    const text = watch('jobs:list', '--watch=0.1', '--limit', '1', '--database-url', url.href);
    const json = watch('jobs:list', '--watch=0.1', '--limit', '1', '--json', '--database-url', url.href);
    const last = () => JSON.parse(lines(json.stdout()).at(-1) || '{}');
    await until(() => text.stdout().includes('1 of 60') && last().total === JOBS);
    door.shut();
    await until(
      () => text.stderr().includes('connection refused') && last().error?.code === 'DATABASE_UNREACHABLE',
    );
    const before = text.stdout().length;
    await door.open();
    await until(() => text.stdout().length > before && last().total === JOBS);
    expect([await interrupted(text), await interrupted(json)]).toEqual([130, 130]);
    // The door may shut in the middle of a poll: then a lost connection is another failure, told once too.
    const told = lines(text.stderr()).filter((line) => !line.includes('was lost'));
    expect(told).toEqual([expect.stringContaining('connection refused')]);
    door.shut();

    const never = await runAtomctl(['jobs:list', '--watch=0.1', '--database-url', url.href], {env: site.env});
    expect(never.code).toBe(3);
  });
});

describe('on a terminal', () => {
  const SIZES = [
    [80, 24],
    [200, 50],
    [43, 9],
    [120, 70],
  ] as const;

  test('redraws in place during a resize, marks changes, and leaves the last state', async (context) => {
    if (!hasTmux()) return context.skip('tmux is not installed');
    const tmux = await startTmux({columns: 80, rows: 24}, {...site.env, ATOMCTL: ATOMCTL.join(' ')});
    try {
      await tmux.type(`$ATOMCTL jobs:list --all --watch=0.2; echo status $?`, 'Enter');
      for (const [columns, rows] of SIZES) {
        await tmux.resize(columns, rows);
        await until(async () => tornLines(await tmux.screen(), {columns, rows}).length === 0);
        await tmux.type('x', 'Enter');
        for (let look = 0; look < 8; look++) {
          expect(tornLines(await tmux.screen(), {columns, rows})).toEqual([]);
          await sleep(50);
        }
      }
      expect([await tmux.ask('alternate_on'), await tmux.ask('cursor_flag')]).toEqual(['1', '0']);

      const row = async () => (await tmux.screen()).find((line) => line.includes(` ${first + 5} `)) ?? '';
      await site.query('UPDATE job SET status_id = 183 WHERE id = ?', [first + 5]);
      await until(async () => /^\* .*running/.test(await row()));
      await until(async () => /^ {2}.*running/.test(await row()));

      await tmux.type('C-c');
      await until(async () => (await tmux.screen()).some((line) => /^status 130/.test(line)));
      expect([await tmux.ask('alternate_on'), await tmux.ask('cursor_flag')]).toEqual(['0', '1']);
      const left = await tmux.screen();
      expect(left.filter((line) => /^ *\d+ {2}\d{4}-/.test(line))).toHaveLength(JOBS);
      expect(left.filter((line) => /^60 of 60 jobs shown: 1 running/.test(line))).toHaveLength(1);
    } finally {
      await tmux.stop();
    }
  });

  test('restores the screen after SIGTERM and after a lost server', async (context) => {
    if (!hasTmux()) return context.skip('tmux is not installed');
    const gone = await startGearmand();
    const tmux = await startTmux({columns: 100, rows: 20}, {...site.env, ATOMCTL: ATOMCTL.join(' ')});
    const shows = (text: string) =>
      until(async () => (await tmux.screen()).some((line) => line.includes(text)));
    try {
      const command = `queue:status --watch=0.2 --gearman ${gone.endpoint}`;
      await tmux.type(`echo $$; exec $ATOMCTL ${command}`, 'Enter');
      await shows('Status: critical');
      await gone.kill();
      await shows('unreachable');
      expect((await tmux.screen()).filter((line) => /^\* /.test(line)).length).toBeGreaterThan(0);
      await endsOnSigterm(tmux);
    } finally {
      await tmux.stop().catch(() => {});
      await gone.stop();
    }
  });

  async function endsOnSigterm(tmux: Tmux): Promise<void> {
    const pid = Number(await tmux.ask('pane_pid'));
    process.kill(pid, 'SIGTERM');
    // atomctl replaced the shell: when it ends, the window closes, and tmux ends with its last window.
    await until(async () => (await tmux.screen().catch(() => null)) === null);
  }
});

/** The lines of a frame of the whole list that are wrong at this size; empty if no line is torn. */
function tornLines(screen: readonly string[], size: {columns: number; rows: number}): string[] {
  const [title = '', gap = '?', header = '', ...rest] = screen;
  const torn = [
    ...(/^atomctl jobs:list, every 0\.2 s, /.test(title) ? [] : [title]),
    ...(gap === '' ? [] : [gap]),
    ...(/^ {2,}ID {2}/.test(header) ? [] : [header]),
  ];
  const body = rest.filter((line) => line !== '');
  const room = size.rows - 3;
  const cut = JOBS + 1 > room;
  const rows = cut ? room - 1 : JOBS;
  body.slice(0, rows).forEach((line) => {
    if (!/^[ *] +\d+ {2,}\d\S* /.test(line)) torn.push(line);
  });
  const last = body[rows] ?? '';
  if (
    !(cut ? /^ {2}… \d+ more lines$/ : /^[ *] (60 of 60 jobs shown|Not shown for lack of width)/).test(last)
  )
    torn.push(`last: ${last}`);
  torn.push(...body.slice(rows + 1), ...screen.filter((line) => line.length >= size.columns));
  return torn;
}

/** A proxy before a server, which a test can close. */
async function openDoor(target: number) {
  const inside = new Set<Socket>();
  const server = createServer((client) => {
    const behind = connect(target, '127.0.0.1');
    for (const socket of [client, behind]) {
      inside.add(socket);
      socket.on('error', () => {}).on('close', () => inside.delete(socket));
    }
    client.pipe(behind).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = server.address() as {port: number};
  return {
    port,
    shut: () => {
      server.close();
      for (const socket of inside) socket.destroy();
    },
    open: () => once(server.listen(port, '127.0.0.1'), 'listening'),
  };
}
