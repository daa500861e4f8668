import {open} from 'node:fs/promises';

/**
 * The first bytes of a file in /proc as text; `cut` says that there is more. A file there has no size of its own, so
 * it is read until it ends or the limit is reached.
 * @throws the error of the system, such as ENOENT or ESRCH if the process has ended
 */
export async function readText(path: string, limitBytes: number): Promise<{text: string; cut: boolean}> {
  const file = await open(path, 'r');
  try {
    const chunks: Buffer[] = [];
    let length = 0;
    while (length <= limitBytes) {
      const {bytesRead, buffer} = await file.read(Buffer.alloc(Math.min(16_384, limitBytes + 1 - length)));
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
      length += bytesRead;
    }
    return {text: Buffer.concat(chunks).subarray(0, limitBytes).toString('utf8'), cut: length > limitBytes};
  } finally {
    await file.close();
  }
}

/** Whether an error of the system says that the process ended while it was read. */
export function hasEnded(error: unknown): boolean {
  return ['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '');
}
