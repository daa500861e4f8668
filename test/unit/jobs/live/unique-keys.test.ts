import {describe, expect, it} from 'vitest';
import {AtomctlError} from '../../../../src/errors.ts';
import {formatAddress} from '../../../../src/gearman/address.ts';
import type {GearmanServer} from '../../../../src/gearman/server.ts';
import {askForKeys, askUnheld, type SiteQueue} from '../../../../src/jobs/live/unique-keys.ts';
import {PROBE_LOCK} from '../../../../src/queue/function-name.ts';
import {uniqueKey} from '../../../../src/queue/unique-key.ts';
import {FakeGearman} from '../../../support/servers/fake-gearman.ts';

const NAME = 'p-arFindingAidJob';
const PARAMETERS = '{"name":"arFindingAidJob","objectId":"7"}';
const KEY = uniqueKey(NAME, PARAMETERS)!;

function queueOn(server: GearmanServer): SiteQueue {
  return {queue: `${NAME} ${formatAddress(server.address)}`, function: NAME, server};
}
function aRow(id: number, parameters: string | null = PARAMETERS) {
  return {id, name: 'arFindingAidJob', parameters};
}
/** Two servers; `ask` asks both for a row's key, in this order. */
function twoServers() {
  const [one, two] = [new FakeGearman({host: 'one'}), new FakeGearman({host: 'two'})];
  const ask = (rows = [aRow(1)]) => askForKeys(rows, () => [queueOn(one), queueOn(two)]);
  return {one, two, ask};
}

describe('a key', () => {
  it('that a server knows shows where the job is, and whether it runs', async () => {
    const {one, two, ask} = twoServers();
    two.submit(NAME, KEY);
    const job = {queue: `${NAME} two:4730`, function: NAME, server: two, unique: KEY};
    expect([...(await ask()).found]).toEqual([[1, [{...job, running: false}]]]);
    two.work([NAME]).grab();
    expect([...(await ask()).found]).toEqual([[1, [{...job, running: true}]]]);
    expect(await one.jobs()).toEqual([]);
  });

  it('that no server knows was asked for all the same', async () => {
    const {found, asked, missing, probing} = await twoServers().ask();
    expect([[...found], [...asked], [...missing], [...probing]]).toEqual([[], [1], [], []]);
  });

  it.each([
    ['before the job first starts', null],
    ['of parameters that are cut', '{"name":"arFindi'],
  ])('is not asked for %s', async (_, parameters) => {
    const {one, ask} = twoServers();
    one.submit(NAME, KEY);
    const {found, asked} = await ask([aRow(1, parameters), aRow(2)]);
    expect([[...found.keys()], [...asked]]).toEqual([[2], [2]]);
  });

  it.each(['one', 'two'] as const)(
    'that two servers know shows both places, and where it runs: on server %s',
    async (host) => {
      const servers = twoServers();
      servers.one.submit(NAME, KEY);
      servers.two.submit(NAME, KEY);
      servers[host].work([NAME]).grab();
      const {found} = await servers.ask();
      expect(found.get(1)!.map(({server, running}) => [server.address.host, running])).toEqual([
        ['one', host === 'one'],
        ['two', host === 'two'],
      ]);
    },
  );

  it('of many rows takes one exchange with each server', async () => {
    const {one, two, ask} = twoServers();
    const exchanges: string[] = [];
    for (const server of [one, two]) {
      const answer = server.statusOfUniqueKeys;
      server.statusOfUniqueKeys = (keys) => {
        exchanges.push(`${server.address.host}: ${keys.length}`);
        return answer(keys);
      };
    }
    await ask([aRow(1), aRow(2, '{"name":"arFindingAidJob"}'), aRow(3, '{"name":"x"}')]);
    // With the lock, first and last.
    expect(exchanges.sort()).toEqual(['one: 5', 'two: 5']);
  });

  it('belongs to its own row', async () => {
    const {one, ask} = twoServers();
    const other = '{"name":"arFindingAidJob","objectId":"8"}';
    one.submit(NAME, KEY);
    one.submit(NAME, uniqueKey(NAME, other)!);
    const {found} = await ask([aRow(1), aRow(2, other), aRow(3, '{"name":"x"}')]);
    expect([...found.keys()].sort()).toEqual([1, 2]);
  });
});

it('a row whose job no queue may hold has been asked for if it has a key', async () => {
  const {asked} = await askForKeys([aRow(1), aRow(2, null)], () => []);
  expect([...asked]).toEqual([1]);
});

describe('a server that does not answer', () => {
  it('leaves the keys that it may have unasked, and those of others not', async () => {
    const {one, two} = twoServers();
    one.failure = new AtomctlError('GEARMAN_TIMEOUT', 'No answer.');
    two.submit(NAME, KEY);
    const {found, asked, missing} = await askForKeys([aRow(1), aRow(2)], ({id}) =>
      id === 1 ? [queueOn(two)] : [queueOn(one), queueOn(two)],
    );
    expect([...found.keys()]).toEqual([1, 2]);
    expect([[...asked], [...missing]]).toEqual([[1], [['one:4730', one.failure]]]);
  });

  it('for keys alone, as that in Perl, leaves them unasked and is not missing', async () => {
    const server = new FakeGearman({implementation: 'perl'});
    const {asked, missing} = await askForKeys([aRow(1)], () => [queueOn(server)]);
    expect([[...asked], [...missing]]).toEqual([[], []]);
  });
});

describe('jobs that another atomctl holds', () => {
  it('show as those of a server whose probe lock is taken', async () => {
    const {one, two, ask} = twoServers();
    expect([...(await ask()).probing]).toEqual([]);
    two.submit(PROBE_LOCK, PROBE_LOCK);
    expect([...(await ask()).probing]).toEqual([]);
    two.work([PROBE_LOCK], 'atomctl-probe').grab();
    const {probing} = await ask();
    expect([...probing]).toEqual(['two:4730']);
    expect(await askUnheld(one, [])).toEqual({presences: [], held: false});
  });

  it.each([
    ['before the keys', [true, false], true],
    ['after the keys', [false, true], true],
    ['never', [false, false], false],
  ])('are noticed if the lock was taken %s', async (_, [first, last], held) => {
    const server = {
      statusOfUniqueKeys: async (keys: readonly string[]) =>
        keys.map((_key, at) => {
          if (at === 0) return {known: true, running: first};
          return at === keys.length - 1 ? {known: true, running: last} : {known: true, running: true};
        }),
    } as unknown as GearmanServer;
    const {presences, held: found} = await askUnheld(server, ['a', 'b']);
    expect([presences, found]).toEqual([Array(2).fill({known: true, running: true}), held]);
  });
});
