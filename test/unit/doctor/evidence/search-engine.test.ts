import {once} from 'node:events';
import {type AddressInfo, createServer, type Socket} from 'node:net';
import {describe, expect, it, onTestFinished} from 'vitest';
import {readSearchServers} from '../../../../src/atom/search-servers.ts';
import {askSearchServer} from '../../../../src/doctor/evidence/search-engine.ts';
import {createRoot} from '../../../support/site/atom-files.ts';

/** A server that does this with each connection. */
async function serverThat(answer: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    socket.once('data', () => answer(socket));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** What is not about the time has plenty of it. */
const ask = (port: number, seconds = 20) =>
  askSearchServer({host: '127.0.0.1', port, tls: false, origin: 'search.yml'}, seconds);

const http = (status: string, body: string) => (socket: Socket) =>
  socket.end(`HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);

/** Sends a chunk again and again. */
const endless = (start: string, chunk: string) => (socket: Socket) => {
  socket.write(start);
  const more = () => {
    while (!socket.destroyed && socket.write(chunk)) {}
  };
  socket.on('drain', more);
  more();
};

describe('a search server', () => {
  it.each([
    ['greets', http('200 OK', '{"version": {"number": "6.8.23"}}'), '6.8.23'],
    ['asks for a login', http('401 Unauthorized', '{}'), null],
  ])('answers if it %s', async (_, answer, version) => {
    expect(await ask(await serverThat(answer))).toEqual({answers: true, version});
  });

  it.each([
    ['is broken', http('503 Service Unavailable', 'no'), 'it answers with HTTP status 503'],
    [
      'leads elsewhere',
      http('302 Found\r\nLocation: http://127.0.0.1:1/', ''),
      'it answers with HTTP status 302',
    ],
    ['is another web site', http('200 OK', '<html>'), 'what answers there is not Elasticsearch'],
    [
      'sends a version that is none',
      http('200 OK', '{"version": {"number": "\\u001b[2J"}}'),
      'what answers there is not Elasticsearch',
    ],
    ['sends a null', http('200 OK', 'null'), 'what answers there is not Elasticsearch'],
    [
      'sends without end',
      endless('HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(65_536)),
      'what answers there is not Elasticsearch',
    ],
    [
      'sends headers without end',
      endless('HTTP/1.1 200 OK\r\n', `X-A: ${'x'.repeat(1000)}\r\n`),
      'what answers there does not speak HTTP',
    ],
    [
      'speaks something else',
      (socket: Socket) => socket.end('\u0000\u0001\u0002\n\n'),
      'what answers there does not speak HTTP',
    ],
    ['says nothing', () => {}, 'no answer within 0.3 s'],
    [
      'stops in the middle',
      (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{'),
      'no answer within 0.3 s',
    ],
    ['closes at once', (socket: Socket) => socket.destroy(), 'the connection was closed by the other side'],
  ])('does not answer if it %s', async (_, answer, reason) => {
    const seconds = reason.startsWith('no answer') ? 0.3 : undefined;
    expect(await ask(await serverThat(answer), seconds)).toEqual({answers: false, reason, unresolved: false});
  });

  it('does not answer if nothing listens there', async () => {
    const port = await serverThat(() => {});
    const {reason} = {reason: '', ...(await ask(port === 1 ? 2 : 1))};
    expect(reason).toBe('connection refused');
  });
});

describe('search.yml', () => {
  const read = (...texts: string[]) =>
    readSearchServers(
      createRoot(
        Object.fromEntries(
          ['config/search.yml', 'apps/qubit/config/search.yml'].flatMap((name, at) =>
            texts[at] === undefined ? [] : [[name, texts[at]]],
          ),
        ),
      ),
      {env: {}},
    );
  const place = ({host, port, tls}: Awaited<ReturnType<typeof read>>[number]) =>
    `${tls ? 'https' : 'http'} ${host} ${port}`;

  it.each([
    [
      'as the installer writes it',
      ["all:\n  server:\n    host: es.example\n    port: '9201'\n"],
      ['http es.example 9201'],
    ],
    [
      'with what the plugin takes by default',
      ['all:\n  server:\n    host: es\n    post: 1\n'],
      ['http es 9200'],
    ],
    [
      'of the application above the project',
      ['all:\n  server: {host: a, port: 1}\n', 'all:\n  server: {host: b}\n'],
      ['http b 1'],
    ],
    [
      'with several',
      ['all:\n  server:\n    servers:\n      - {host: a}\n      - {host: b, transport: Https}\n'],
      ['http a 9200', 'https b 9200'],
    ],
    [
      'with a URL that has a password',
      ['all:\n  server: {url: "https://u:S3cret@es.example/"}\n'],
      ['https es.example 443'],
    ],
    ['without a server', ['all:\n  index: {name: atom}\n'], []],
    ['that is missing', [], []],
  ])('%s', async (_, texts, expected) => {
    const servers = await read(...texts);
    expect(servers.map(place)).toEqual(expected);
    expect(JSON.stringify(servers)).not.toContain('S3cret');
  });

  it.each([
    'all:\n  server: es.example\n',
    'all:\n  server: {host: es, port: http}\n',
    'all:\n  server: {host: "a b"}\n',
  ])('that names no server is a usage error: %j', async (text) => {
    await expect(read(text)).rejects.toMatchObject({code: 'USAGE'});
  });
});
