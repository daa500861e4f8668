import type {AtomSite} from './atom-site.ts';

/** Whether a clear of this site has sent its delete, and not had the answer. */
export async function isDeleting(site: AtomSite): Promise<boolean> {
  const statements = await site.query(
    "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'DELETE FROM object%'",
  );
  return statements.length > 0;
}
