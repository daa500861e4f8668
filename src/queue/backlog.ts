/** The jobs that the database calls running: queued, executing or lost, it does not tell which. */
export interface Backlog {
  running: number;
  /** Since the oldest of them was started; null where there is none. */
  oldestSeconds: number | null;
}
