'use strict';
/**
 * What bin/compile.cjs lets atomctl meet when it rehearses a start: AtoM's files, a gearmand and a MySQL server, each
 * with as much of a life as takes a start through the code that a start on a real site goes through.
 */
const {mkdirSync, writeFileSync} = require('node:fs');
const {createServer} = require('node:net');
const {dirname} = require('node:path');

/**
 * Writes a site into the working directory and answers for its servers, which keep no process from its end.
 * @param ready called when they listen
 */
function setTheScene(ready) {
  listen(answerAsGearmandDoes, (gearmanPort) => {
    listen(answerAsMysqlDoes, (mysqlPort) => {
      writeSite({gearmanPort, mysqlPort});
      ready();
    });
  });
}

function listen(answer, listening) {
  const server = createServer((socket) => answer(socket.unref().on('error', () => {})));
  server.listen(0, '127.0.0.1', () => listening(server.unref().address().port));
}

function writeSite({gearmanPort, mysqlPort}) {
  const files = {
    symfony: '',
    'config/ProjectConfiguration.class.php': '',
    'config/config.php': `<?php

return [
  'all' => [
    'propel' => [
      'class' => 'sfPropelDatabase',
      'param' => [
        'encoding' => 'utf8mb4',
        'persistent' => true,
        'pooling' => true,
        'dsn' => 'mysql:dbname=atom;port=${mysqlPort};host=127.0.0.1',
        'username' => 'atom',
        'password' => 'rehearsal',
      ],
    ],
  ],
];
`,
    'apps/qubit/config/settings.yml': `prod:
  .settings:
    error_reporting:        <?php echo (E_ALL & ~E_NOTICE)."\\n" ?>
all:
  .settings:
    default_timezone:       America/Vancouver
`,
    'apps/qubit/config/gearman.yml': `all:
  servers:
    default: 127.0.0.1:${gearmanPort}
  worker_types:
    general:
      - arFindingAidJob
`,
    'apps/qubit/config/app.yml': `all:
  workers_key: rehearsal
`,
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(path), {recursive: true});
    writeFileSync(path, text);
  }
}

/** An idle gearmand's answers in its administrative protocol. */
function answerAsGearmandDoes(socket) {
  socket.setEncoding('latin1').on('data', (text) => {
    for (const line of text.trim().split('\n')) socket.write(line === 'version' ? 'OK 1.1.20\n' : '.\n');
  });
}

const QUERY = 3;
const OK = Buffer.of(0, 0, 0, 2, 0, 0, 0);
const END_OF_ROWS = Buffer.of(0xfe, 0, 0, 2, 0);
const TYPES = {text: 253, number: 3};

/**
 * One row that answers whatever is asked: of a finished job, or how many there are. Down to `content` in the order in
 * which src/jobs/load-jobs.ts selects, which takes values by their places; others go by these names.
 */
const ROW = {
  id: '1',
  name: 'arFindingAidJob',
  status_id: '184',
  created_at: '2026-01-31 09:30:00',
  completed_at: '2026-01-31 09:31:00',
  user_id: '1',
  username: 'archivist',
  object_id: '1',
  object_class: 'QubitInformationObject',
  slug: 'a-fonds',
  download_path: '',
  note_id: '1',
  type_id: '175',
  content: 'Done.',
  rows: '1',
  jobs: '1',
};

/**
 * Lets anybody log in, and answers each statement with the one row.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html
 */
function answerAsMysqlDoes(socket) {
  let loggedIn = false;
  socket.on('data', (bytes) => {
    if (!loggedIn) socket.write(packet(OK, 2));
    else if (bytes[4] === QUERY) socket.write(RESULT);
    loggedIn = true;
  });
  socket.write(packet(GREETING, 0));
}

/** @param sequence of this packet within its exchange */
function packet(body, sequence) {
  const header = Buffer.alloc(4);
  header.writeUIntLE(body.length, 0, 3);
  header[3] = sequence;
  return Buffer.concat([header, body]);
}

/** Protocol 4.1, with authentication by plugin; the scramble that a password is hashed with need not be random. */
const GREETING = Buffer.concat([
  Buffer.from('\x0a8.0.40\0'),
  Buffer.of(1, 0, 0, 0),
  Buffer.from('scramble\0'),
  Buffer.of(0x08, 0x82, 45, 2, 0, 0x08, 0, 21),
  Buffer.alloc(10),
  Buffer.from('of 20 bytes!\0mysql_native_password\0'),
]);

const RESULT = Buffer.concat(
  [
    Buffer.of(Object.keys(ROW).length),
    ...Object.entries(ROW).map(([name, value]) =>
      column(name, /^\d+$/.test(value) ? TYPES.number : TYPES.text),
    ),
    END_OF_ROWS,
    Buffer.concat(Object.values(ROW).map(text)),
    END_OF_ROWS,
  ].map((body, index) => packet(body, index + 1)),
);

function column(name, type) {
  return Buffer.concat([
    ...['def', '', '', '', name, name].map(text),
    Buffer.of(12, 45, 0, 0, 4, 0, 0, type, 0, 0, 0, 0, 0),
  ]);
}

function text(value) {
  return Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);
}

module.exports = {setTheScene};
