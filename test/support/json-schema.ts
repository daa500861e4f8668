import {readdirSync, readFileSync} from 'node:fs';
import {Ajv2020, type ValidateFunction} from 'ajv/dist/2020.js';
import {expect} from 'vitest';

const DIRECTORY = new URL('../../docs/schemas/', import.meta.url);

/** The names of the schemas in docs/schemas. */
export const SCHEMAS = readdirSync(DIRECTORY).map((file) => file.replace('.json', ''));

const ajv = new Ajv2020({allErrors: true, allowUnionTypes: true, strict: true});
for (const name of SCHEMAS)
  ajv.addSchema(JSON.parse(readFileSync(new URL(`${name}.json`, DIRECTORY), 'utf8')));

/** The document that a command printed, which must be as the schema of this name has it. */
// biome-ignore lint/suspicious/noExplicitAny: a test knows what it asked for
export function expectSchema(name: string, stdout: string): any {
  const document: unknown = JSON.parse(stdout);
  const validate = ajv.getSchema(`${name}.json`) as ValidateFunction;
  validate(document);
  expect({schema: name, errors: validate.errors ?? [], stdout}).toEqual({schema: name, errors: [], stdout});
  return document;
}
