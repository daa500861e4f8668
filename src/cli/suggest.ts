/** The candidates that are nearest to a mistyped word, most likely first; none if it is like none of them. */
export function nearest(word: string, candidates: readonly string[]): string[] {
  const typed = word.toLowerCase();
  const most = Math.ceil(typed.length / 4);
  const rated = candidates.map((candidate) => ({
    candidate,
    distance: distanceOf(typed, candidate.toLowerCase()),
  }));
  const least = Math.min(...rated.map(({distance}) => distance));
  return rated.filter(({distance}) => distance === least && distance <= most).map(({candidate}) => candidate);
}

/** `Did you mean running? `, with its space, or nothing. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const found = nearest(word, candidates);
  return found.length === 0 ? '' : `Did you mean ${orOf(found)}? `;
}

/** The hint for a word that is none of these values. */
export function validValues(word: string, values: readonly string[]): string {
  return `${didYouMean(word, values)}Valid values: ${values.join(', ')}.`;
}

/** `a`, `a or b`, `a, b or c`. */
export function orOf(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** What somebody typed the beginning of is as near as a word with one wrong letter. */
function distanceOf(typed: string, candidate: string): number {
  const distance = editDistance(typed, candidate);
  return typed.length > 2 && candidate.startsWith(typed) ? Math.min(distance, 1) : distance;
}

/** How many letters to insert, delete, replace, or swap with the next one, to turn one word into the other. */
function editDistance(one: string, other: string): number {
  const rows = [Array.from({length: other.length + 1}, (_, column) => column)];
  for (let row = 1; row <= one.length; row += 1) {
    const [above, current] = [rows[row - 1]!, [row]];
    for (let column = 1; column <= other.length; column += 1) {
      const same = one[row - 1] === other[column - 1];
      const swapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      current.push(
        Math.min(
          above[column - 1]! + (same ? 0 : 1),
          above[column]! + 1,
          current[column - 1]! + 1,
          swapped ? rows[row - 2]![column - 2]! + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    rows.push(current);
  }
  return rows[one.length]![other.length]!;
}
