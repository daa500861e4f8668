/** What the payload of one of AtoM's jobs says of its row: AtoM sends the parameters as JSON. */
export interface PayloadFields {
  /** The id of AtoM's row; null if the payload has none. */
  jobId: number | null;
  /** The name that AtoM gave the row when it sent the job; null if there is none. */
  name: string | null;
  /** The object that the row belongs to; null if there is none. */
  objectId: number | null;
}

/** Of a payload that is not AtoM's, every field is null. */
export function readPayload(payload: string | Buffer): PayloadFields {
  let fields: {id?: unknown; name?: unknown; objectId?: unknown} | null;
  try {
    fields = JSON.parse(payload.toString());
  } catch {
    fields = null;
  }
  const {name} = fields ?? {};
  return {
    jobId: idOf(fields?.id),
    name: typeof name === 'string' ? name : null,
    objectId: idOf(fields?.objectId),
  };
}

/** AtoM sends ids as numbers or as digits. */
function idOf(value: unknown): number | null {
  // A payload comes from the network: only these two types become text without running what they hold.
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  return /^[1-9]\d{0,14}$/.test(`${value}`) ? Number(value) : null;
}
