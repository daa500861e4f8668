import {SITE_FLAGS} from '../context.ts';

/** The words of a command line that tell about the site, each flag with its value. */
export function siteFlagWords(words: readonly string[]): string[] {
  const spellings = Object.keys(SITE_FLAGS).map((name) => `--${name}`);
  return words.flatMap((word, index) => {
    const value = words[index + 1];
    if (spellings.includes(word)) return value === undefined ? [] : [`${word}=${value}`];
    return spellings.some((spelling) => word.startsWith(`${spelling}=`)) ? [word] : [];
  });
}
