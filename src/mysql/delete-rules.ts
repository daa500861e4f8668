import type {Queryable} from './database.ts';

/**
 * Whether one row of this database may be kept from being deleted although another may be deleted: by a trigger, or by a foreign key
 * that neither cascades nor sets NULL. AtoM has neither; a plugin may. True also if the account does not see triggers.
 * @throws AtomctlError for the database
 */
export async function deletesDifferByRow(database: Queryable): Promise<boolean> {
  const [row] = await database.query<{differ: number}>(DIFFER);
  return row!.differ !== 0;
}

/** An account without the TRIGGER privilege, or that has it by a role or for single tables, is taken to see none. */
const OWN_TRIGGER = `privilege_type = 'TRIGGER'
  AND grantee = CONCAT("'", REPLACE(CURRENT_USER(), '@', "'@'"), "'")`;

const DIFFER = `SELECT
  NOT (
    EXISTS (SELECT 1 FROM information_schema.user_privileges WHERE ${OWN_TRIGGER})
    OR EXISTS (SELECT 1 FROM information_schema.schema_privileges
               WHERE ${OWN_TRIGGER} AND DATABASE() LIKE table_schema)
  )
  OR EXISTS (SELECT 1 FROM information_schema.triggers
             WHERE event_object_schema = DATABASE() AND event_manipulation = 'DELETE')
  OR EXISTS (SELECT 1 FROM information_schema.referential_constraints
             WHERE unique_constraint_schema = DATABASE() AND delete_rule NOT IN ('CASCADE', 'SET NULL'))
  AS differ`;
