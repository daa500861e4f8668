/** Collects why facts are null, by the fact's name. */
export class MissingFacts {
  readonly reasons: Record<string, string> = {};

  /** Notes why a fact is not available. @returns null, the fact */
  because(fact: string, reason: string): null {
    this.reasons[fact] = reason;
    return null;
  }
}
