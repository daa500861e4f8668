import {describe, expect, test} from 'vitest';
import type {ServiceManager} from '../../../src/systemd/systemctl.ts';
import type {UnitState} from '../../../src/systemd/unit-state.ts';
import {until} from '../until.ts';

/** A systemd to hold to the contract, and a hand on its services from outside. */
export interface SystemdUnderTest {
  manager: ServiceManager;
  /**
   * Puts a unit file in place: Restart=on-failure after 0.1 s, three starts in a day at most, working directory
   * /var, a command that holds jobs:worker and runs until `exit` ends it.
   */
  install(name: string): Promise<void>;
  /** Has the unit's main process end with this status. */
  exit(name: string, status: number): Promise<void>;
}

/** What atomctl relies on in systemd; the fake and the real one both have to pass. */
export function systemdContract(which: string, get: () => SystemdUnderTest): void {
  const installed = async (name: string) => {
    const {manager, install, exit} = get();
    await install(name);
    const state = async () => (await manager.show([name]))[0]!;
    return {
      state,
      change: (verb: Parameters<ServiceManager['change']>[0]) => manager.change(verb, name),
      exit: (status: number) => exit(name, status),
      settled: async (is: (state: UnitState) => boolean) => {
        await until(async () => is(await state()));
        return state();
      },
    };
  };

  describe(`systemd, ${which}`, () => {
    test('a unit that does not exist', async () => {
      const {manager} = get();
      expect(await manager.show(['no-such.service'])).toMatchObject([
        {name: 'no-such.service', load: 'not-found'},
      ]);
      await expect(manager.change('start', 'no-such.service')).rejects.toMatchObject({code: 'NO_SUCH_UNIT'});
      await expect(manager.change('enable', 'no-such.service')).rejects.toMatchObject({code: 'NO_SUCH_UNIT'});
      await expect(manager.change('reset-failed', 'no-such.service')).resolves.toBeUndefined();
    });

    test('a unit that was never started, started and stopped', async () => {
      const {state, change} = await installed('calm.service');
      expect(await state()).toMatchObject({
        load: 'loaded',
        active: 'inactive',
        sub: 'dead',
        enablement: 'disabled',
        path: '/etc/systemd/system/calm.service',
        mainPid: null,
        restarts: 0,
        restartPolicy: 'on-failure',
        restartDelaySeconds: 0.1,
        result: 'success',
        lastExit: null,
        restartForced: [],
        restartPrevented: [],
        command: expect.stringContaining('jobs:worker'),
        workingDirectory: '/var',
        startLimit: {burst: 3, intervalSeconds: 86_400},
      });
      await expect(change('reset-failed')).resolves.toBeUndefined();
      await change('stop');
      await change('start');
      const running = await state();
      expect(running).toMatchObject({active: 'active', sub: 'running', mainPid: expect.any(Number)});
      expect(Date.now() - running.since!.getTime()).toBeLessThan(60_000);
      expect(await get().manager.services()).toContainEqual(expect.objectContaining({name: 'calm.service'}));
      await change('stop');
      expect(await state()).toMatchObject({
        active: 'inactive',
        sub: 'dead',
        mainPid: null,
        result: 'success',
      });
    });

    test('enabled and disabled', async () => {
      const {state, change} = await installed('enabled.service');
      await change('enable');
      expect((await state()).enablement).toBe('enabled');
      await change('disable');
      expect((await state()).enablement).toBe('disabled');
    });

    test('SIGTERM from outside: exit status 0, and it does not come back', async () => {
      const {change, exit, settled} = await installed('terminated.service');
      await change('enable');
      await change('start');
      await exit(0);
      const ended = {sub: 'dead', result: 'success', mainPid: null, restarts: 0};
      const how = {how: 'exited', status: 0};
      expect(await settled(({active}) => active === 'inactive')).toMatchObject({...ended, lastExit: how});
      await change('start');
      expect(await settled(({active}) => active === 'active')).toMatchObject({mainPid: expect.any(Number)});
    });

    test('how it ended is forgotten if it ended well and is not enabled', async () => {
      const {change, exit, settled} = await installed('forgotten.service');
      await change('start');
      await exit(0);
      const ended = await settled(({active}) => active === 'inactive');
      expect(ended).toMatchObject({result: 'success', lastExit: null, since: null});
    });

    test('crashes up to the start limit, whose result is that of the crash; a reset, a start', async () => {
      const {change, exit, state, settled} = await installed('crashing.service');
      await change('start');
      for (const restarts of [1, 2]) {
        await exit(7);
        await settled((state) => state.active === 'active' && state.restarts === restarts);
      }
      await exit(7);
      expect(await settled(({active}) => active === 'failed')).toMatchObject({
        sub: 'failed',
        result: 'exit-code',
        lastExit: {how: 'exited', status: 7},
        restarts: 3,
        mainPid: null,
      });
      await expect(change('start')).rejects.toMatchObject({code: 'FAILED'});
      await expect(change('restart')).rejects.toMatchObject({code: 'FAILED'});
      await change('reset-failed');
      expect(await state()).toMatchObject({active: 'inactive', result: 'success', restarts: 0});
      await change('start');
      expect(await state()).toMatchObject({active: 'active', restarts: 0});
    });

    test('restarts by hand up to the start limit: the service is stopped and not started', async () => {
      const {change, state} = await installed('restarted.service');
      for (let start = 1; start <= 3; start++) await change('restart');
      await expect(change('restart')).rejects.toMatchObject({code: 'FAILED'});
      expect(await state()).toMatchObject({active: 'failed', result: 'start-limit-hit', mainPid: null});
      await change('reset-failed');
      await change('start');
      expect((await state()).active).toBe('active');
      for (let start = 2; start <= 3; start++) await change('restart');
      await change('reset-failed');
      await change('restart');
      expect((await state()).active).toBe('active');
    });
  });
}
