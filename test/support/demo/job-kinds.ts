/** A kind of job in the demo's history: what it is called, how long it takes, what it says. */
export interface JobKind {
  /** As AtoM stores it; not always the job class. */
  name: string;
  /** How many times it occurs for each time that the rarest does. */
  weight: number;
  /** Shortest and longest run. */
  seconds: readonly [number, number];
  objectId?: number;
  hasDownload?: boolean;
  done: {en: string; fr: string};
  failed: {en: string; fr: string};
}

export const JOB_KINDS: readonly JobKind[] = [
  {
    name: 'arFindingAidJob',
    weight: 6,
    seconds: [3, 90],
    objectId: 512,
    done: {en: 'Finding aid generated.', fr: 'Instrument de recherche généré.'},
    failed: {
      en: 'Apache FOP failed: no such font "Tahoma".',
      fr: 'Échec d’Apache FOP : police « Tahoma » absente.',
    },
  },
  {
    name: 'CSV export',
    weight: 6,
    seconds: [2, 240],
    hasDownload: true,
    done: {en: 'Exported 214 of 214 descriptions.', fr: '214 descriptions sur 214 exportées.'},
    failed: {
      en: 'Could not write the archive: disk full.',
      fr: 'Impossible d’écrire l’archive : disque plein.',
    },
  },
  {
    name: 'XML export',
    weight: 3,
    seconds: [2, 300],
    hasDownload: true,
    done: {en: 'Exported 38 of 38 authority records.', fr: '38 notices d’autorité sur 38 exportées.'},
    failed: {en: 'The EAC template was not found.', fr: 'Gabarit EAC introuvable.'},
  },
  {
    name: 'arFileImportJob',
    weight: 5,
    seconds: [30, 5400],
    done: {en: 'Imported 900 of 900 rows.', fr: '900 lignes sur 900 importées.'},
    failed: {
      en: 'Row 417: "legacyId" is missing,\nthe import was stopped.',
      fr: 'Ligne 417 : « legacyId » manque,\nl’importation est arrêtée.',
    },
  },
  {
    name: 'arUpdatePublicationStatusJob',
    weight: 5,
    seconds: [1, 60],
    objectId: 513,
    done: {en: 'Publication status changed to: Published.', fr: 'Statut de publication : Publié.'},
    failed: {en: 'The search index could not be reached.', fr: 'L’index de recherche ne répond pas.'},
  },
  {
    name: 'arObjectMoveJob',
    weight: 3,
    seconds: [1, 30],
    objectId: 514,
    done: {en: 'Moved "Fonds du port".', fr: '« Fonds du port » déplacé.'},
    failed: {
      en: 'The new parent is below the moved record.',
      fr: 'Le nouveau parent est sous la notice déplacée.',
    },
  },
  {
    name: 'arCalculateDescendantDatesJob',
    weight: 2,
    seconds: [1, 20],
    objectId: 512,
    done: {en: 'Dates of 2 descendants read.', fr: 'Dates de 2 descendants lues.'},
    failed: {en: 'No event of that type.', fr: 'Aucun événement de ce type.'},
  },
  {
    name: 'Inherit rights',
    weight: 2,
    seconds: [1, 45],
    objectId: 512,
    done: {en: 'Rights passed on to 1 record.', fr: 'Droits transmis à 1 notice.'},
    failed: {en: 'A rights record is in use.', fr: 'Une déclaration de droits est utilisée.'},
  },
  {
    name: 'arGenerateReportJob',
    weight: 2,
    seconds: [2, 30],
    objectId: 512,
    done: {en: 'Box label list written.', fr: 'Liste des étiquettes écrite.'},
    failed: {en: 'No physical storage is linked.', fr: 'Aucun contenant n’est lié.'},
  },
  {
    name: 'arValidateCsvJob',
    weight: 2,
    seconds: [1, 25],
    done: {en: 'CSV valid: 0 errors, 3 warnings.', fr: 'CSV valide : 0 erreur, 3 avertissements.'},
    failed: {en: '=IMPORT check: the file is not UTF-8.', fr: '=IMPORT : le fichier n’est pas en UTF-8.'},
  },
  {
    name: 'arUpdateEsIoDocumentsJob',
    weight: 1,
    seconds: [1, 15],
    done: {en: 'Index updated for 3 records.', fr: 'Index mis à jour pour 3 notices.'},
    failed: {en: 'The search index could not be reached.', fr: 'L’index de recherche ne répond pas.'},
  },
];
