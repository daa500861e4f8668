-- The part of AtoM's schema that atomctl touches, and enough of the rest to notice a delete that goes too far.
-- Class-table inheritance: a row of job, actor, user, term ... shares its id with a row of object.

CREATE TABLE object (
  class_name VARCHAR(255),
  created_at DATETIME NOT NULL,
  updated_at DATETIME NOT NULL,
  id INTEGER NOT NULL AUTO_INCREMENT PRIMARY KEY,
  serial_number INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE taxonomy (
  `usage` VARCHAR(1024),
  parent_id INTEGER,
  source_culture VARCHAR(16) NOT NULL,
  id INTEGER NOT NULL PRIMARY KEY,
  CONSTRAINT taxonomy_FK_1 FOREIGN KEY (id) REFERENCES object (id) ON DELETE CASCADE,
  CONSTRAINT taxonomy_FK_2 FOREIGN KEY (parent_id) REFERENCES taxonomy (id) ON DELETE CASCADE
);

CREATE TABLE taxonomy_i18n (
  name VARCHAR(1024),
  note TEXT,
  id INTEGER NOT NULL,
  culture VARCHAR(16) NOT NULL,
  PRIMARY KEY (id, culture),
  CONSTRAINT taxonomy_i18n_FK_1 FOREIGN KEY (id) REFERENCES taxonomy (id) ON DELETE CASCADE
);

CREATE TABLE term (
  taxonomy_id INTEGER NOT NULL,
  code VARCHAR(1024),
  parent_id INTEGER,
  source_culture VARCHAR(16) NOT NULL,
  id INTEGER NOT NULL PRIMARY KEY,
  CONSTRAINT term_FK_1 FOREIGN KEY (id) REFERENCES object (id) ON DELETE CASCADE,
  CONSTRAINT term_FK_2 FOREIGN KEY (taxonomy_id) REFERENCES taxonomy (id) ON DELETE CASCADE,
  CONSTRAINT term_FK_3 FOREIGN KEY (parent_id) REFERENCES term (id) ON DELETE CASCADE
);

CREATE TABLE term_i18n (
  name VARCHAR(1024),
  id INTEGER NOT NULL,
  culture VARCHAR(16) NOT NULL,
  PRIMARY KEY (id, culture),
  CONSTRAINT term_i18n_FK_1 FOREIGN KEY (id) REFERENCES term (id) ON DELETE CASCADE
);

CREATE TABLE actor (
  entity_type_id INTEGER,
  parent_id INTEGER,
  source_culture VARCHAR(16) NOT NULL,
  id INTEGER NOT NULL PRIMARY KEY,
  CONSTRAINT actor_FK_1 FOREIGN KEY (id) REFERENCES object (id) ON DELETE CASCADE,
  CONSTRAINT actor_FK_2 FOREIGN KEY (entity_type_id) REFERENCES term (id) ON DELETE SET NULL,
  CONSTRAINT actor_FK_3 FOREIGN KEY (parent_id) REFERENCES actor (id) ON DELETE CASCADE
);

CREATE TABLE actor_i18n (
  authorized_form_of_name VARCHAR(1024),
  history TEXT,
  id INTEGER NOT NULL,
  culture VARCHAR(16) NOT NULL,
  PRIMARY KEY (id, culture),
  CONSTRAINT actor_i18n_FK_1 FOREIGN KEY (id) REFERENCES actor (id) ON DELETE CASCADE
);

CREATE TABLE user (
  id INTEGER NOT NULL PRIMARY KEY,
  username VARCHAR(255),
  email VARCHAR(255),
  password_hash VARCHAR(255),
  salt VARCHAR(255),
  active TINYINT DEFAULT 1,
  CONSTRAINT user_FK_1 FOREIGN KEY (id) REFERENCES actor (id) ON DELETE CASCADE
);

CREATE TABLE repository (
  id INTEGER NOT NULL PRIMARY KEY,
  identifier VARCHAR(1024),
  source_culture VARCHAR(16) NOT NULL,
  CONSTRAINT repository_FK_1 FOREIGN KEY (id) REFERENCES actor (id) ON DELETE CASCADE
);

CREATE TABLE information_object (
  id INTEGER NOT NULL PRIMARY KEY,
  identifier VARCHAR(1024),
  repository_id INTEGER,
  parent_id INTEGER,
  lft INTEGER NOT NULL DEFAULT 0,
  rgt INTEGER NOT NULL DEFAULT 0,
  source_culture VARCHAR(16) NOT NULL,
  CONSTRAINT information_object_FK_1 FOREIGN KEY (id) REFERENCES object (id) ON DELETE CASCADE,
  CONSTRAINT information_object_FK_2 FOREIGN KEY (repository_id) REFERENCES repository (id) ON DELETE SET NULL,
  CONSTRAINT information_object_FK_3 FOREIGN KEY (parent_id) REFERENCES information_object (id) ON DELETE CASCADE
);

CREATE TABLE information_object_i18n (
  title VARCHAR(1024),
  scope_and_content TEXT,
  id INTEGER NOT NULL,
  culture VARCHAR(16) NOT NULL,
  PRIMARY KEY (id, culture),
  CONSTRAINT information_object_i18n_FK_1 FOREIGN KEY (id) REFERENCES information_object (id) ON DELETE CASCADE
);

CREATE TABLE digital_object (
  id INTEGER NOT NULL PRIMARY KEY,
  object_id INTEGER,
  name VARCHAR(1024) NOT NULL,
  path VARCHAR(1024) NOT NULL,
  CONSTRAINT digital_object_FK_1 FOREIGN KEY (id) REFERENCES object (id) ON DELETE CASCADE,
  CONSTRAINT digital_object_FK_2 FOREIGN KEY (object_id) REFERENCES object (id) ON DELETE CASCADE
);

CREATE TABLE event (
  id INTEGER NOT NULL PRIMARY KEY,
  start_date DATE,
  end_date DATE,
  type_id INTEGER NOT NULL,
  object_id INTEGER,
  actor_id INTEGER,
  source_culture VARCHAR(16) NOT NULL,
  CONSTRAINT event_FK_1 FOREIGN KEY (id) REFERENCES object (id) ON DELETE CASCADE,
  CONSTRAINT event_FK_2 FOREIGN KEY (type_id) REFERENCES term (id) ON DELETE CASCADE,
  CONSTRAINT event_FK_3 FOREIGN KEY (object_id) REFERENCES object (id) ON DELETE CASCADE,
  CONSTRAINT event_FK_4 FOREIGN KEY (actor_id) REFERENCES actor (id) ON DELETE SET NULL
);

CREATE TABLE relation (
  id INTEGER NOT NULL PRIMARY KEY,
  subject_id INTEGER NOT NULL,
  object_id INTEGER NOT NULL,
  type_id INTEGER,
  source_culture VARCHAR(16) NOT NULL,
  CONSTRAINT relation_FK_1 FOREIGN KEY (id) REFERENCES object (id) ON DELETE CASCADE,
  CONSTRAINT relation_FK_2 FOREIGN KEY (subject_id) REFERENCES object (id) ON DELETE CASCADE,
  CONSTRAINT relation_FK_3 FOREIGN KEY (object_id) REFERENCES object (id) ON DELETE CASCADE,
  CONSTRAINT relation_FK_4 FOREIGN KEY (type_id) REFERENCES term (id) ON DELETE CASCADE
);

CREATE TABLE object_term_relation (
  id INTEGER NOT NULL PRIMARY KEY,
  object_id INTEGER NOT NULL,
  term_id INTEGER NOT NULL,
  CONSTRAINT object_term_relation_FK_1 FOREIGN KEY (id) REFERENCES object (id) ON DELETE CASCADE,
  CONSTRAINT object_term_relation_FK_2 FOREIGN KEY (object_id) REFERENCES object (id) ON DELETE CASCADE,
  CONSTRAINT object_term_relation_FK_3 FOREIGN KEY (term_id) REFERENCES term (id) ON DELETE CASCADE
);

CREATE TABLE status (
  object_id INTEGER NOT NULL,
  type_id INTEGER,
  status_id INTEGER,
  id INTEGER NOT NULL AUTO_INCREMENT PRIMARY KEY,
  serial_number INTEGER NOT NULL DEFAULT 0,
  CONSTRAINT status_FK_1 FOREIGN KEY (object_id) REFERENCES object (id) ON DELETE CASCADE,
  CONSTRAINT status_FK_2 FOREIGN KEY (type_id) REFERENCES term (id) ON DELETE CASCADE,
  CONSTRAINT status_FK_3 FOREIGN KEY (status_id) REFERENCES term (id) ON DELETE CASCADE
);

CREATE TABLE slug (
  object_id INTEGER NOT NULL,
  slug VARCHAR(255) NOT NULL,
  id INTEGER NOT NULL AUTO_INCREMENT PRIMARY KEY,
  serial_number INTEGER NOT NULL DEFAULT 0,
  UNIQUE KEY slug_U_1 (object_id),
  UNIQUE KEY slug_U_2 (slug),
  CONSTRAINT slug_FK_1 FOREIGN KEY (object_id) REFERENCES object (id) ON DELETE CASCADE
);

CREATE TABLE note (
  object_id INTEGER NOT NULL,
  type_id INTEGER,
  scope VARCHAR(1024),
  user_id INTEGER,
  source_culture VARCHAR(16) NOT NULL,
  id INTEGER NOT NULL AUTO_INCREMENT PRIMARY KEY,
  serial_number INTEGER NOT NULL DEFAULT 0,
  CONSTRAINT note_FK_1 FOREIGN KEY (object_id) REFERENCES object (id) ON DELETE CASCADE,
  CONSTRAINT note_FK_2 FOREIGN KEY (type_id) REFERENCES term (id) ON DELETE SET NULL,
  CONSTRAINT note_FK_3 FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE SET NULL
);

CREATE TABLE note_i18n (
  content TEXT,
  id INTEGER NOT NULL,
  culture VARCHAR(16) NOT NULL,
  PRIMARY KEY (id, culture),
  CONSTRAINT note_i18n_FK_1 FOREIGN KEY (id) REFERENCES note (id) ON DELETE CASCADE
);

CREATE TABLE property (
  object_id INTEGER NOT NULL,
  scope VARCHAR(1024),
  name VARCHAR(1024),
  source_culture VARCHAR(16) NOT NULL,
  id INTEGER NOT NULL AUTO_INCREMENT PRIMARY KEY,
  serial_number INTEGER NOT NULL DEFAULT 0,
  CONSTRAINT property_FK_1 FOREIGN KEY (object_id) REFERENCES object (id) ON DELETE CASCADE
);

CREATE TABLE property_i18n (
  value TEXT,
  id INTEGER NOT NULL,
  culture VARCHAR(16) NOT NULL,
  PRIMARY KEY (id, culture),
  CONSTRAINT property_i18n_FK_1 FOREIGN KEY (id) REFERENCES property (id) ON DELETE CASCADE
);

CREATE TABLE setting (
  name VARCHAR(255),
  scope VARCHAR(255),
  editable TINYINT DEFAULT 0,
  deleteable TINYINT DEFAULT 0,
  source_culture VARCHAR(16) NOT NULL,
  id INTEGER NOT NULL AUTO_INCREMENT PRIMARY KEY,
  serial_number INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE setting_i18n (
  value TEXT,
  id INTEGER NOT NULL,
  culture VARCHAR(16) NOT NULL,
  PRIMARY KEY (id, culture),
  CONSTRAINT setting_i18n_FK_1 FOREIGN KEY (id) REFERENCES setting (id) ON DELETE CASCADE
);

CREATE TABLE clipboard_save (
  user_id INTEGER,
  password VARCHAR(255),
  created_at DATETIME NOT NULL,
  id INTEGER NOT NULL AUTO_INCREMENT PRIMARY KEY,
  CONSTRAINT clipboard_save_FK_1 FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE SET NULL
);

CREATE TABLE job (
  id INTEGER NOT NULL PRIMARY KEY,
  name VARCHAR(255),
  download_path TEXT,
  completed_at DATETIME,
  user_id INTEGER,
  object_id INTEGER,
  status_id INTEGER,
  output TEXT,
  CONSTRAINT job_FK_1 FOREIGN KEY (id) REFERENCES object (id) ON DELETE CASCADE,
  CONSTRAINT job_FK_2 FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE SET NULL,
  CONSTRAINT job_FK_3 FOREIGN KEY (object_id) REFERENCES object (id) ON DELETE SET NULL,
  CONSTRAINT job_FK_4 FOREIGN KEY (status_id) REFERENCES term (id) ON DELETE SET NULL
);
