import {FakeSystemd} from '../../support/fake-systemd.ts';
import {systemdContract} from '../../support/systemd-contract.ts';

const manager = new FakeSystemd();

systemdContract('the fake', () => ({
  manager,
  install: async (name) => manager.install(name, {workingDirectory: '/var'}),
  exit: async (name, status) => manager.exit(name, status),
}));
