/** A statement that names one of these may hold the secret itself as a text. */
const SECRET = /passw|pwd|secret|token|salt|identified|credential|api_?key/i;
/** Texts in quotes; one that is cut has no end. */
const TEXT = /'(?:[^'\\]|\\.|'')*(?:'|$)|"(?:[^"\\]|\\.|"")*(?:"|$)/gs;

const SHOWN = 200;

/**
 * The beginning of a statement in one line. If it names something secret, its texts are left out. What else it holds is data of
 * the site, such as titles: whoever may read the process list sees it too.
 */
export function shownQuery(statement: string): string {
  const masked = SECRET.test(statement) ? statement.replace(TEXT, "'***'") : statement;
  const line = masked.replace(/\s+/g, ' ').trim();
  return line.length > SHOWN ? `${line.slice(0, SHOWN - 1)}…` : line;
}
