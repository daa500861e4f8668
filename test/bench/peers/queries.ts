/** What a database administrator would type for the work of `jobs:export-csv`: the same columns from the same tables. */
export const EXPORT = `
  SELECT object.created_at, job.completed_at, job.name, job.status_id, note_i18n.content, user.username
  FROM job
  JOIN object ON object.id = job.id
  LEFT JOIN user ON user.id = job.user_id
  LEFT JOIN note ON note.object_id = job.id
  LEFT JOIN note_i18n ON note_i18n.id = note.id AND note_i18n.culture = note.source_culture
  ORDER BY job.id`;

/** The same for `jobs:clear`; the foreign keys take the jobs, notes and properties along. */
export const CLEAR = "DELETE FROM object WHERE class_name = 'QubitJob'";

/** The counts of `jobs:stats`, without its percentiles, which SQL does not have. */
export const STATISTICS = `
  SELECT job.name, job.status_id, COUNT(*), MAX(TIMESTAMPDIFF(SECOND, object.created_at, job.completed_at))
  FROM job JOIN object ON object.id = job.id GROUP BY job.name, job.status_id;
  SELECT DATE(object.created_at) AS day, job.status_id, COUNT(*)
  FROM job JOIN object ON object.id = job.id GROUP BY day, job.status_id;
  SELECT job.user_id, job.status_id, COUNT(*) FROM job GROUP BY job.user_id, job.status_id`;

/** What `jobs:list --limit 20` asks: about how many jobs there are, how many exactly, and the newest with their notes. */
export const LIST = `
  EXPLAIN SELECT COUNT(*) FROM job;
  SELECT job.status_id, COUNT(*) FROM job GROUP BY job.status_id;
  SELECT job.id, job.name, job.status_id, object.created_at, job.completed_at, job.user_id, user.username,
    job.object_id, target.class_name, slug.slug, job.download_path, note.id, note.type_id, note_i18n.content
  FROM (SELECT id FROM job ORDER BY id DESC LIMIT 20) newest
  JOIN job ON job.id = newest.id
  LEFT JOIN object ON object.id = job.id
  LEFT JOIN user ON user.id = job.user_id
  LEFT JOIN object target ON target.id = job.object_id
  LEFT JOIN slug ON slug.object_id = job.object_id
  LEFT JOIN note ON note.object_id = job.id
  LEFT JOIN note_i18n ON note_i18n.id = note.id AND note_i18n.culture = note.source_culture`;
