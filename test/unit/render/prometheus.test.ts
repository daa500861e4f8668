import {expect, test} from 'vitest';
import {renderMetrics} from '../../../src/render/prometheus.ts';

test('metrics are in the text exposition format, with line breaks and quotes escaped', () => {
  const text = renderMetrics([
    {
      name: 'atom_jobs',
      help: 'Jobs by name\nand "status" \\ all.',
      type: 'gauge',
      samples: [
        {labels: {name: 'a "quoted" \\ name\nand a line', status: 'error'}, value: 3},
        {labels: {name: '\u001b[31mred\u202e', status: 'unknown'}, value: 0.5},
      ],
    },
    {name: 'nothing_to_tell', help: 'Left out.', type: 'gauge', samples: []},
    {
      name: 'odd_values_total',
      help: 'Values.',
      type: 'counter',
      samples: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((value) => ({value})),
    },
  ]);
  expect(text).toBe(
    [
      String.raw`# HELP atom_jobs Jobs by name\nand "status" \\ all.`,
      '# TYPE atom_jobs gauge',
      String.raw`atom_jobs{name="a \"quoted\" \\ name\nand a line",status="error"} 3`,
      String.raw`atom_jobs{name="\\x1b[31mred\\u202e",status="unknown"} 0.5`,
      '# HELP odd_values_total Values.',
      '# TYPE odd_values_total counter',
      'odd_values_total NaN',
      'odd_values_total +Inf',
      'odd_values_total -Inf',
      '',
    ].join('\n'),
  );
});
