/**
 * A value as PHP has it: what config.php, sfYaml and json_decode give. An array, also a list, is one ordered map with
 * its keys as text; this is why lists merge by index. An integer is a bigint, so a `number` is always a float.
 */
export type PhpValue = string | number | bigint | boolean | null | PhpArray;
export type PhpArray = Map<string, PhpValue>;

/** The text that PHP makes of a value when it joins strings: true is `1`, false and null are empty. */
export function phpString(value: PhpValue): string {
  if (value instanceof Map) return 'Array';
  if (value === null || value === false) return '';
  if (value === true) return '1';
  return typeof value === 'number' ? phpFloat(value) : String(value);
}

/** PHP prints floats with 14 digits, and uses exponents (`1.0E+25`) for smaller numbers than JavaScript does. */
function phpFloat(value: number): string {
  if (!Number.isFinite(value)) return String(value).replace('Infinity', 'INF').toUpperCase();
  if (Object.is(value, -0)) return '-0';
  const [digits, power] = Number(value.toPrecision(14)).toExponential().split('e');
  const exponent = Number(power);
  if (!(exponent < -4 || exponent > 13)) return String(Number(value.toPrecision(14)));
  return `${digits!.includes('.') ? digits : `${digits}.0`}E${power}`;
}

/** What PHP treats as true: everything but null, false, zero, '', '0' and an empty array. */
export function isTruthy(value: PhpValue): boolean {
  if (value instanceof Map) return value.size > 0;
  return value !== '0' && Boolean(value);
}

/** The value at a path of keys; undefined if there is none. */
export function lookUp(value: PhpValue | undefined, keys: readonly string[]): PhpValue | undefined {
  return keys.reduce<PhpValue | undefined>(
    (found, key) => (found instanceof Map ? found.get(key) : undefined),
    value,
  );
}

/** symfony's sfToolkit::arrayDeepMerge: arrays merge key by key; of anything else the higher one wins. */
export function deepMerge(low: PhpArray, high: PhpArray): PhpArray {
  const merged = new Map(low);
  for (const [key, value] of high) {
    const below = low.get(key);
    merged.set(key, below instanceof Map && value instanceof Map ? deepMerge(below, value) : value);
  }
  return merged;
}

/** The sections that apply to an environment, low to high. */
export function sectionsFor(environment: string): string[] {
  return ['default', 'all', environment];
}

/**
 * One environment's configuration: `default < all < <environment>`. A section that is not an array counts as empty.
 */
export function flatten(sections: PhpArray, environment: string): PhpArray {
  return sectionsFor(environment)
    .map((name) => sections.get(name))
    .filter((section) => section instanceof Map)
    .reduce(deepMerge, new Map());
}
