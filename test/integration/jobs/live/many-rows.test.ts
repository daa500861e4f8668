import {expect, test} from 'vitest';
import type {GearmanServer} from '../../../../src/gearman/server.ts';
import type {Queryable} from '../../../../src/mysql/database.ts';
import {type LiveOptions, live} from '../../../support/live.ts';
import {useLiveRig} from '../../../support/live-rig.ts';
import {insertManyRunning} from '../../../support/many-rows.ts';

const rig = useLiveRig();

/** The site's sources, and the questions that were put to the database and to Gearman. */
function counting(): {options: LiveOptions; questions: string[]} {
  const questions: string[] = [];
  const count = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, name) {
        const value = Reflect.get(object, name) as unknown;
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          questions.push(String(name));
          return value.apply(object, args) as unknown;
        };
      },
    });
  const servers = rig.at.sources.servers.map((connection) =>
    'server' in connection ? {...connection, server: count<GearmanServer>(connection.server)} : connection,
  );
  return {options: {database: count<Queryable>(rig.at.sources.database), servers}, questions};
}

test('20,000 running rows take as many questions as 200, and each has its state (T19)', async () => {
  const executing = await rig.execute();
  const few = counting();
  await insertManyRunning(rig.site, 200);
  await live(rig.at, few.options);
  await insertManyRunning(rig.site, 19_800);
  const many = counting();
  const {states} = await live(rig.at, many.options);
  expect([many.questions.toSorted(), many.questions.length < 10]).toEqual([few.questions.toSorted(), true]);
  expect(Object.keys(states)).toHaveLength(20_001);
  expect(states[executing.id]).toBe('executing');
  const having = (state: string) => Object.values(states).filter((each) => each === state).length;
  // The rows that began are only likely lost: the given host does not show the process of the worker that is connected.
  const [{never}] = await rig.site.query('SELECT SUM(output IS NULL) AS never FROM job');
  expect([having('lost'), having('lost?')]).toEqual([Number(never), 20_000 - Number(never)]);
});
