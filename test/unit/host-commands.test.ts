import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {networkFailure} from '../../src/gearman/failure.ts';
import {BY_HAND, BY_SYSTEMD, type HostCommands, hostCommands} from '../../src/host-commands.ts';

/** All that it may say. */
function textsOf({restartWorkerAfter, ...texts}: HostCommands): string[] {
  return [...Object.values(texts), restartWorkerAfter('php symfony cc')];
}

describe('the commands of a host', () => {
  let booted: string;

  beforeAll(() => {
    booted = mkdtempSync(join(tmpdir(), 'booted-'));
  });
  afterAll(() => rmSync(booted, {recursive: true}));

  test('are those of systemd if systemd has started it, and not if systemctl is only installed', () => {
    expect(hostCommands(booted)).toBe(BY_SYSTEMD);
    expect(hostCommands(join(booted, 'none'))).toBe(BY_HAND);
  });

  test('without systemd need no systemd', () => {
    const needs = /systemctl|journalctl|atomctl worker:(?!run\b)|--restart-worker/;
    expect(textsOf(BY_HAND).filter((text) => needs.test(text))).toEqual([]);
    expect(textsOf(BY_SYSTEMD).filter((text) => needs.test(text))).toEqual(textsOf(BY_SYSTEMD));
  });

  test('start a worker by a command alone, which can be pasted', () => {
    for (const {startWorker} of [BY_SYSTEMD, BY_HAND])
      expect(startWorker).toMatch(/^atomctl worker:\w+( --reset)?$/);
  });

  test('are in the hint of a Gearman server that does not answer', () => {
    const refused = Object.assign(new Error('refused'), {code: 'ECONNREFUSED', syscall: 'connect'});
    expect(networkFailure({host: '127.0.0.1', port: 4730}, refused).hint).toBe(
      `Check that the Gearman server runs and listens at this address: ${hostCommands().startGearmand}.`,
    );
  });
});
