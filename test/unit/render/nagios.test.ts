import {expect, test} from 'vitest';
import {renderPluginLine} from '../../../src/render/nagios.ts';

test('is one line with one bar before the figures, for any text and labels', () => {
  const line = renderPluginLine({
    service: 'ATOM QUEUE',
    status: 'critical',
    text: 'a | b\nc\u001b[31m',
    figures: [
      {label: "it's=a|label", value: 12, warning: 10, critical: 20},
      {label: 'oldest running', value: 90, unit: 's', critical: 60},
      {label: 'plain', value: 0},
    ],
  });
  expect(line).toBe(
    "ATOM QUEUE CRITICAL: a / b c\\x1b[31m | 'it_s_a_label'=12;10;20;0 'oldest running'=90s;;60;0 'plain'=0;;;0\n",
  );
});

test('without figures there is no bar', () => {
  expect(renderPluginLine({service: 'ATOM QUEUE', status: 'unknown', text: 'why'})).toBe(
    'ATOM QUEUE UNKNOWN: why\n',
  );
});
