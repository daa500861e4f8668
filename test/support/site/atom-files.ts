import {mkdirSync, realpathSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {createScratch} from '../scratch.ts';

/** Writes files, by path below a directory. */
export function writeFiles(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), {recursive: true});
    writeFileSync(join(directory, path), text);
  }
}

/** A new AtoM root with just its landmarks and these files; its resolved path. */
export function createRoot(files: Readonly<Record<string, string>> = {}): string {
  const root = realpathSync(createScratch('root'));
  writeFiles(root, {symfony: '', 'config/ProjectConfiguration.class.php': '', ...files});
  return root;
}

/** A config.php as AtoM's installer writes it. */
export function configPhp(param: Readonly<Record<string, string>>): string {
  const lines = Object.entries(param).map(([key, value]) => `'${key}' => '${value}',`);
  return `<?php\nreturn array('all' => array('propel' => array('param' => array(${lines.join(' ')}))));\n`;
}
