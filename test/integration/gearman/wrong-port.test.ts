import {expect, inject, it, onTestFinished} from 'vitest';
import {connectServer} from '../../../src/gearman/server.ts';

it("tells a database's port from a Gearman server's at once", async () => {
  const {host, port} = inject('mariadb');
  const server = await connectServer({host, port}, {timeoutSeconds: 5});
  onTestFinished(() => server.close());
  for (const question of [
    () => server.status(),
    () => server.version(),
    () => server.statusOfHandles(['H:1']),
  ]) {
    await expect(question()).rejects.toMatchObject({
      code: 'GEARMAN_PROTOCOL',
      message: expect.stringContaining(`The server at ${host}:${port} does not speak the Gearman protocol`),
    });
  }
});
