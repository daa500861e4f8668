/**
 * Values as PHP has them, which is how both config.php and sfYaml give a site's configuration.
 * An array is one ordered map, lists included, with its keys as text: that is why lists merge by index.
 * Integers are bigints, so that a `number` is always a float.
 */
export type PhpValue = string | number | bigint | boolean | null | PhpArray;
export type PhpArray = Map<string, PhpValue>;

/** The text that PHP makes of a value where it joins strings: true is `1`, false and null are empty. */
export function phpString(value: PhpValue): string {
  if (value instanceof Map) return 'Array';
  if (value === null || value === false) return '';
  if (value === true) return '1';
  return typeof value === 'number' ? phpFloat(value) : String(value);
}

/** PHP prints floats with 14 digits and turns to exponents (`1.0E+25`) sooner than JavaScript does. */
function phpFloat(value: number): string {
  const [digits, power] = Number(value.toPrecision(14)).toExponential().split('e');
  const exponent = Number(power);
  if (!(exponent < -4 || exponent > 13)) return String(Number(value.toPrecision(14)));
  return `${digits!.includes('.') ? digits : `${digits}.0`}E${power}`;
}

/** PHP's idea of true: everything but null, false, zero, '', '0' and an empty array. */
export function isTruthy(value: PhpValue): boolean {
  if (value instanceof Map) return value.size > 0;
  return value !== '0' && Boolean(value);
}

/** A parsed JSON document as a PHP value. */
export function fromJson(value: unknown): PhpValue {
  if (Number.isInteger(value)) return BigInt(value as number);
  if (typeof value !== 'object' || value === null) return value as PhpValue;
  return new Map(Object.entries(value).map(([key, entry]) => [key, fromJson(entry)]));
}

/** The value at a path of keys; undefined where there is none. */
export function lookUp(value: PhpValue | undefined, keys: readonly string[]): PhpValue | undefined {
  return keys.reduce<PhpValue | undefined>(
    (found, key) => (found instanceof Map ? found.get(key) : undefined),
    value,
  );
}

/** symfony's sfToolkit::arrayDeepMerge: arrays merge key by key, of everything else the higher one wins. */
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

/** One environment's configuration: `default < all < <environment>`. A section that is no array counts as empty. */
export function flatten(sections: PhpArray, environment: string): PhpArray {
  return sectionsFor(environment)
    .map((name) => sections.get(name))
    .filter((section) => section instanceof Map)
    .reduce(deepMerge, new Map());
}
