import {describe, expect, test} from 'vitest';
import {AtomctlError} from '../../../src/errors.ts';
import {errorDocument, renderError, renderErrorDocument} from '../../../src/render/error.ts';

const bare = new AtomctlError('LOCKED', 'Locked by \u001b[2Jme.', {cause: new Error('secret')});
const hinted = new AtomctlError('LOCKED', 'Locked.', {hint: 'Wait.'});

const PLAIN = {isTTY: false, width: Number.POSITIVE_INFINITY, color: false};

describe('an error', () => {
  test('in JSON has exactly code, message and hint; the hint is null if there is none', () => {
    expect(errorDocument(bare)).toEqual({code: 'LOCKED', message: 'Locked by \u001b[2Jme.', hint: null});
    expect(JSON.parse(renderErrorDocument(hinted))).toEqual({
      error: {code: 'LOCKED', message: 'Locked.', hint: 'Wait.'},
    });
  });

  test('in text is one line with message and hint, without control characters', () => {
    expect(renderError(hinted, PLAIN)).toBe('Error: Locked. Wait.\n');
    expect(renderError(bare, PLAIN)).toBe('Error: Locked by \\x1b[2Jme.\n');
    expect(renderError(hinted, {...PLAIN, color: true})).toBe('\u001b[31mError:\u001b[39m Locked. Wait.\n');
    const forged = new AtomctlError('LOCKED', 'No job\n0 jobs cleared.');
    expect(renderError(forged, PLAIN)).toBe('Error: No job 0 jobs cleared.\n');
  });
});
