import {constants} from 'node:fs';
import {open} from 'node:fs/promises';

/** A larger file is no interpreter. */
const MOST_BYTES = 128 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;
/** Every build of PHP holds the header that it sends to browsers. */
const HEADER = /X-Powered-By: PHP\/(\d{1,3}\.\d{1,3}\.\d{1,3}[\w.+~-]{0,40})/;
const LONGEST_HEADER = 80;

/** The version in a PHP interpreter's own file, which is read and never run; null if it has none or cannot be read. */
export async function readPhpVersion(program: string): Promise<string | null> {
  const file = await open(program, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => null);
  if (file === null) return null;
  try {
    const stats = await file.stat();
    if (!stats.isFile() || stats.size > MOST_BYTES) return null;
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (let place = 0; place < stats.size; place += CHUNK_BYTES - LONGEST_HEADER) {
      const {bytesRead} = await file.read(chunk, 0, CHUNK_BYTES, place);
      const [, version] = HEADER.exec(chunk.toString('latin1', 0, bytesRead)) ?? [];
      if (version !== undefined) return version;
    }
    return null;
  } catch {
    return null;
  } finally {
    await file.close();
  }
}
