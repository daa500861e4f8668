-- A small AtoM site without jobs: taxonomies and terms with AtoM's fixed ids, the roots of the trees, an
-- administrator and an editor, one archival institution and a few descriptions in it, with slugs.

INSERT INTO object (id, class_name, created_at, updated_at) VALUES
  (1, 'QubitInformationObject', '2020-01-02 09:00:00', '2020-01-02 09:00:00'),
  (3, 'QubitActor', '2020-01-02 09:00:00', '2020-01-02 09:00:00'),
  (6, 'QubitRepository', '2020-01-02 09:00:00', '2020-01-02 09:00:00'),
  (37, 'QubitTaxonomy', '2020-01-02 09:00:00', '2020-01-02 09:00:00'),
  (59, 'QubitTaxonomy', '2020-01-02 09:00:00', '2020-01-02 09:00:00'),
  (60, 'QubitTaxonomy', '2020-01-02 09:00:00', '2020-01-02 09:00:00'),
  (72, 'QubitTaxonomy', '2020-01-02 09:00:00', '2020-01-02 09:00:00'),
  (111, 'QubitTerm', '2020-01-02 09:00:00', '2020-01-02 09:00:00'),
  (125, 'QubitTerm', '2020-01-02 09:00:00', '2020-01-02 09:00:00'),
  (158, 'QubitTerm', '2020-01-02 09:00:00', '2020-01-02 09:00:00'),
  (160, 'QubitTerm', '2020-01-02 09:00:00', '2020-01-02 09:00:00'),
  (183, 'QubitTerm', '2020-01-02 09:00:00', '2020-01-02 09:00:00'),
  (184, 'QubitTerm', '2020-01-02 09:00:00', '2020-01-02 09:00:00'),
  (185, 'QubitTerm', '2020-01-02 09:00:00', '2020-01-02 09:00:00'),
  (197, 'QubitTerm', '2020-01-02 09:00:00', '2020-01-02 09:00:00'),
  (448, 'QubitUser', '2020-01-02 09:30:00', '2020-01-02 09:30:00'),
  (449, 'QubitUser', '2020-01-02 09:31:00', '2020-01-02 09:31:00'),
  (500, 'QubitRepository', '2020-02-03 10:00:00', '2020-02-03 10:00:00'),
  (501, 'QubitActor', '2020-02-03 10:05:00', '2020-02-03 10:05:00'),
  (512, 'QubitInformationObject', '2020-02-03 10:10:00', '2021-05-06 11:00:00'),
  (513, 'QubitInformationObject', '2020-02-03 10:11:00', '2021-05-06 11:00:00'),
  (514, 'QubitInformationObject', '2020-02-03 10:12:00', '2021-05-06 11:00:00'),
  (515, 'QubitDigitalObject', '2020-02-03 10:13:00', '2020-02-03 10:13:00'),
  (516, 'QubitEvent', '2020-02-03 10:14:00', '2020-02-03 10:14:00'),
  (517, 'QubitRelation', '2020-02-03 10:15:00', '2020-02-03 10:15:00'),
  (518, 'QubitObjectTermRelation', '2020-02-03 10:16:00', '2020-02-03 10:16:00');

INSERT INTO taxonomy (id, source_culture) VALUES (37, 'en'), (59, 'en'), (60, 'en'), (72, 'en');
INSERT INTO taxonomy_i18n (id, culture, name) VALUES
  (37, 'en', 'Note types'), (59, 'en', 'Publication status types'), (60, 'en', 'Publication status'),
  (72, 'en', 'Job statuses');

INSERT INTO term (id, taxonomy_id, source_culture) VALUES
  (111, 59, 'en'), (125, 37, 'en'), (158, 59, 'en'), (160, 60, 'en'),
  (183, 72, 'en'), (184, 72, 'en'), (185, 72, 'en'), (197, 37, 'en');
INSERT INTO term_i18n (id, culture, name) VALUES
  (111, 'en', 'Creation'), (125, 'en', 'General note'), (158, 'en', 'Publication'), (160, 'en', 'Published'),
  (183, 'en', 'In progress'), (184, 'en', 'Completed'), (185, 'en', 'Error'),
  (183, 'fr', 'En cours'), (184, 'fr', 'Terminé'), (185, 'fr', 'Erreur'), (197, 'en', 'Job error note');

INSERT INTO actor (id, parent_id, source_culture) VALUES
  (3, NULL, 'en'), (6, NULL, 'en'), (448, 3, 'en'), (449, 3, 'en'), (500, 6, 'en'), (501, 3, 'en');
INSERT INTO actor_i18n (id, culture, authorized_form_of_name) VALUES
  (448, 'en', 'admin'), (449, 'en', 'marie'), (500, 'en', 'Harbour City Archives'), (501, 'en', 'Smith, Ada');
INSERT INTO user (id, username, email, active) VALUES
  (448, 'admin', 'admin@example.org', 1), (449, 'marie', 'marie@example.org', 1);
INSERT INTO repository (id, identifier, source_culture) VALUES (6, NULL, 'en'), (500, 'HCA', 'en');

INSERT INTO information_object (id, identifier, repository_id, parent_id, lft, rgt, source_culture) VALUES
  (1, NULL, NULL, NULL, 1, 8, 'en'), (512, 'F01', 500, 1, 2, 5, 'en'), (513, 'F01-S01', NULL, 512, 3, 4, 'en'),
  (514, 'F02', 500, 1, 6, 7, 'fr');
INSERT INTO information_object_i18n (id, culture, title) VALUES
  (512, 'en', 'Ada Smith fonds'), (513, 'en', 'Correspondence'), (514, 'fr', 'Fonds du port');
INSERT INTO digital_object (id, object_id, name, path) VALUES (515, 513, 'letter.pdf', '/uploads/r/hca/');
INSERT INTO event (id, type_id, object_id, actor_id, source_culture) VALUES (516, 111, 512, 501, 'en');
INSERT INTO relation (id, subject_id, object_id, type_id, source_culture) VALUES (517, 512, 501, 111, 'en');
INSERT INTO object_term_relation (id, object_id, term_id) VALUES (518, 512, 160);
INSERT INTO status (object_id, type_id, status_id) VALUES (512, 158, 160), (513, 158, 160), (514, 158, 160);

INSERT INTO slug (object_id, slug) VALUES
  (448, 'admin'), (449, 'marie'), (500, 'harbour-city-archives'), (501, 'smith-ada'), (512, 'smith-fonds'),
  (513, 'correspondence'), (514, 'fonds-du-port');

INSERT INTO note (id, object_id, type_id, user_id, source_culture) VALUES
  (1, 512, 125, 448, 'en'), (2, 514, 125, 449, 'fr');
INSERT INTO note_i18n (id, culture, content) VALUES
  (1, 'en', 'Formerly at the harbour office.'), (2, 'fr', 'Autrefois à la capitainerie.');
INSERT INTO property (id, object_id, name, source_culture) VALUES (1, 512, 'displayStandard', 'en');
INSERT INTO property_i18n (id, culture, value) VALUES (1, 'en', 'rad');

INSERT INTO setting (id, name, source_culture) VALUES (1, 'version', 'en'), (2, 'siteTitle', 'en'), (3, 'plugins', 'en');
INSERT INTO setting_i18n (id, culture, value) VALUES (1, 'en', '194'), (2, 'en', 'Harbour City Archives'),
  (3, 'en', 'a:2:{i:0;s:11:"sfDcPlugin";i:1;s:12:"sfIsadPlugin";}');
INSERT INTO clipboard_save (user_id, created_at) VALUES (448, '2024-03-01 12:00:00');

ALTER TABLE object AUTO_INCREMENT = 1000;
