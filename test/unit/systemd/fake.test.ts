import {FakeSystemd} from '../../support/workers/fake-systemd.ts';
import {systemdContract} from '../../support/workers/systemd-contract.ts';

const manager = new FakeSystemd();

systemdContract('the fake', () => ({
  manager,
  install: async (name) => manager.install(name, {workingDirectory: '/var'}),
  exit: async (name, status) => manager.exit(name, status),
}));
