-- The first schema. Money is INTEGER millionths of its unit (*_micros), times are INTEGER
-- microseconds since 1970 in UTC (*_us, 0 for "not yet"), ids that name nothing are NULL.
-- The rules of money live in src/ledger; the constraints here are the second line of defence and
-- say only what must hold in every row whatever the rules become.

CREATE TABLE budget_accounts (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  name TEXT NOT NULL UNIQUE CHECK (name <> ''),
  aliases TEXT NOT NULL, -- joined by commas, which no name has
  owners TEXT NOT NULL, -- likewise: user names and mail addresses
  display_name TEXT NOT NULL,
  description TEXT NOT NULL,
  parent_id INTEGER REFERENCES budget_accounts (id) DEFERRABLE INITIALLY DEFERRED
    CHECK (parent_id <> id),
  status TEXT NOT NULL CHECK (status IN ('active', 'inactive', 'suspended', 'closed')),
  hold_factor_millionths INTEGER CHECK (hold_factor_millionths >= 0),
  may_convert INTEGER NOT NULL CHECK (may_convert IN (0, 1)),
  created_at_us INTEGER NOT NULL,
  updated_at_us INTEGER NOT NULL
) STRICT;

-- One limit of one unit over [start, end).
CREATE TABLE budget_periods (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  account_id INTEGER NOT NULL REFERENCES budget_accounts (id) DEFERRABLE INITIALLY DEFERRED,
  unit TEXT NOT NULL CHECK (unit <> ''),
  start_us INTEGER NOT NULL,
  end_us INTEGER NOT NULL,
  limit_micros INTEGER NOT NULL CHECK (limit_micros BETWEEN 0 AND 1000000000000000000),
  held_micros INTEGER NOT NULL CHECK (held_micros >= 0),
  used_micros INTEGER NOT NULL CHECK (used_micros >= 0),
  credit_limit_micros INTEGER NOT NULL
    CHECK (credit_limit_micros BETWEEN 0 AND 1000000000000000000),
  carry_over_millionths INTEGER NOT NULL CHECK (carry_over_millionths BETWEEN 0 AND 1000000),
  carried_micros INTEGER NOT NULL CHECK (carried_micros >= 0),
  carried_in_micros INTEGER NOT NULL CHECK (carried_in_micros >= 0),
  created_at_us INTEGER NOT NULL,
  updated_at_us INTEGER NOT NULL,
  CHECK (start_us < end_us)
) STRICT;
CREATE INDEX budget_periods_account ON budget_periods (account_id, unit, start_us);

-- What one partition holds and has used inside a budget; NULL while nobody has set a limit for it.
CREATE TABLE budget_partition_limits (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  budget_id INTEGER NOT NULL REFERENCES budget_periods (id) DEFERRABLE INITIALLY DEFERRED,
  partition TEXT NOT NULL CHECK (partition <> ''),
  limit_micros INTEGER CHECK (limit_micros BETWEEN 0 AND 1000000000000000000),
  held_micros INTEGER NOT NULL CHECK (held_micros >= 0),
  used_micros INTEGER NOT NULL CHECK (used_micros >= 0),
  updated_at_us INTEGER NOT NULL,
  UNIQUE (budget_id, partition)
) STRICT;

CREATE TABLE budget_price_versions (
  version INTEGER PRIMARY KEY CHECK (version > 0),
  effective_from_us INTEGER NOT NULL,
  imported_at_us INTEGER NOT NULL,
  text TEXT NOT NULL
) STRICT;

-- What one unit comes to in another, from a moment on.
CREATE TABLE budget_conversion_rates (
  version INTEGER PRIMARY KEY CHECK (version > 0),
  from_unit TEXT NOT NULL CHECK (from_unit <> ''),
  to_unit TEXT NOT NULL CHECK (to_unit <> '' AND to_unit <> from_unit),
  rate_micros INTEGER NOT NULL CHECK (rate_micros > 0),
  effective_from_us INTEGER NOT NULL,
  recorded_at_us INTEGER NOT NULL
) STRICT;

CREATE TABLE budget_holds (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  request_id TEXT CHECK (request_id <> ''),
  kind TEXT NOT NULL CHECK (kind IN ('slurm', 'external')),
  account_id INTEGER NOT NULL REFERENCES budget_accounts (id) DEFERRABLE INITIALLY DEFERRED,
  user TEXT NOT NULL,
  cluster TEXT NOT NULL,
  partition TEXT NOT NULL,
  submission_group TEXT NOT NULL,
  task_count INTEGER NOT NULL CHECK (task_count >= 1),
  tasks_opened INTEGER NOT NULL CHECK (tasks_opened BETWEEN 0 AND task_count),
  open_shares INTEGER NOT NULL CHECK (open_shares >= 0),
  pending_runs INTEGER NOT NULL CHECK (pending_runs >= 0),
  backfilled INTEGER NOT NULL CHECK (backfilled IN (0, 1)),
  status TEXT NOT NULL CHECK (status IN ('open', 'closed')),
  job_cluster TEXT,
  job_id INTEGER,
  job_submit_us INTEGER,
  placed_at_us INTEGER NOT NULL,
  closed_at_us INTEGER NOT NULL,
  CHECK (status = 'open' OR open_shares = 0),
  CHECK ((job_cluster IS NULL) = (job_id IS NULL) AND (job_id IS NULL) = (job_submit_us IS NULL))
) STRICT;
-- A token is never used twice. A key that an API caller chose may come again once it is forgotten,
-- but never names two open holds.
CREATE UNIQUE INDEX budget_holds_token ON budget_holds (request_id) WHERE kind = 'slurm';
CREATE UNIQUE INDEX budget_holds_key ON budget_holds (request_id)
  WHERE kind = 'external' AND status = 'open';
CREATE INDEX budget_holds_closed_key ON budget_holds (request_id)
  WHERE kind = 'external' AND status = 'closed';
CREATE INDEX budget_holds_job ON budget_holds (job_cluster, job_id) WHERE job_id IS NOT NULL;
-- Open holds of callers are in the index over their keys.
CREATE INDEX budget_holds_open ON budget_holds (id) WHERE kind = 'slurm' AND status = 'open';

-- The money of one unit inside a hold. `legs` lists the limits it is drawn on, the paying budget
-- first: b3 is budget 3, l7 is partition limit 7.
CREATE TABLE budget_hold_parts (
  hold_id INTEGER NOT NULL REFERENCES budget_holds (id) DEFERRABLE INITIALLY DEFERRED,
  part INTEGER NOT NULL CHECK (part >= 0),
  unit TEXT NOT NULL CHECK (unit <> ''),
  budget_id INTEGER NOT NULL REFERENCES budget_periods (id) DEFERRABLE INITIALLY DEFERRED,
  legs TEXT NOT NULL,
  estimate_micros INTEGER NOT NULL CHECK (estimate_micros >= 0),
  granted_micros INTEGER NOT NULL CHECK (granted_micros >= 0),
  unopened_micros INTEGER NOT NULL CHECK (unopened_micros >= 0),
  price_version INTEGER NOT NULL CHECK (price_version >= 0),
  PRIMARY KEY (hold_id, unit)
) STRICT, WITHOUT ROWID;

-- One run of one job or array task, or an external caller's job; settles exactly once.
CREATE TABLE budget_shares (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  hold_id INTEGER NOT NULL REFERENCES budget_holds (id) DEFERRABLE INITIALLY DEFERRED,
  cluster TEXT NOT NULL,
  job_id INTEGER NOT NULL,
  task INTEGER NOT NULL CHECK (task >= -1),
  run INTEGER NOT NULL CHECK (run >= 0),
  external_id TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('open', 'settled')),
  unit TEXT NOT NULL,
  actual_micros INTEGER NOT NULL CHECK (actual_micros >= 0),
  charged_micros INTEGER NOT NULL CHECK (charged_micros >= 0),
  overrun_micros INTEGER NOT NULL CHECK (overrun_micros >= 0),
  released_micros INTEGER NOT NULL CHECK (released_micros >= 0),
  refunded_micros INTEGER NOT NULL CHECK (refunded_micros BETWEEN 0 AND actual_micros),
  requeued INTEGER NOT NULL CHECK (requeued IN (0, 1)),
  opened_at_us INTEGER NOT NULL,
  settled_at_us INTEGER NOT NULL,
  UNIQUE (hold_id, cluster, job_id, task, run, external_id)
) STRICT;

-- What a share held of each part of its hold when it was opened.
CREATE TABLE budget_share_parts (
  share_id INTEGER NOT NULL REFERENCES budget_shares (id) DEFERRABLE INITIALLY DEFERRED,
  part INTEGER NOT NULL CHECK (part >= 0),
  held_micros INTEGER NOT NULL CHECK (held_micros >= 0),
  PRIMARY KEY (share_id, part)
) STRICT, WITHOUT ROWID;

-- The words for what a transaction can be; a later version adds rows here, not a new table.
CREATE TABLE budget_transaction_types (
  type TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
INSERT INTO budget_transaction_types (type) VALUES
  ('account_create'), ('account_update'), ('account_close'), ('budget_create'), ('budget_update'),
  ('limit_set'), ('hold'), ('bind'), ('charge'), ('release'), ('overrun'), ('refund'),
  ('adjustment'), ('deposit'), ('withdrawal'), ('transfer_out'), ('transfer_in'),
  ('carry_out'), ('carry_in'), ('write_off_out'), ('write_off_in'), ('convert_out'), ('convert_in'),
  ('conversion_rate'), ('enforcement'), ('prices');

-- The ledger: every change of money or of a limit is one row here, for ever.
CREATE TABLE budget_transactions (
  sequence INTEGER PRIMARY KEY CHECK (sequence > 0),
  at_us INTEGER NOT NULL,
  type TEXT NOT NULL REFERENCES budget_transaction_types (type) DEFERRABLE INITIALLY DEFERRED,
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  request_id TEXT NOT NULL,
  account_id INTEGER REFERENCES budget_accounts (id) DEFERRABLE INITIALLY DEFERRED,
  account_name TEXT NOT NULL,
  budget_id INTEGER REFERENCES budget_periods (id) DEFERRABLE INITIALLY DEFERRED,
  unit TEXT NOT NULL,
  amount_micros INTEGER NOT NULL,
  hold_id INTEGER REFERENCES budget_holds (id) DEFERRABLE INITIALLY DEFERRED,
  user TEXT NOT NULL,
  partition TEXT NOT NULL,
  cluster TEXT NOT NULL,
  job_id INTEGER,
  task INTEGER NOT NULL,
  run INTEGER NOT NULL,
  external_id TEXT,
  price_version INTEGER NOT NULL,
  details TEXT NOT NULL,
  record TEXT NOT NULL CHECK (record <> ''),
  chain BLOB NOT NULL CHECK (length(chain) = 32),
  CHECK (amount_micros >= 0 OR type = 'adjustment')
) STRICT;
CREATE INDEX budget_transactions_account ON budget_transactions (account_name);
CREATE INDEX budget_transactions_hold ON budget_transactions (hold_id)
  WHERE hold_id IS NOT NULL;
CREATE INDEX budget_transactions_job ON budget_transactions (job_id)
  WHERE job_id IS NOT NULL;
CREATE INDEX budget_transactions_external ON budget_transactions (external_id)
  WHERE external_id IS NOT NULL;
CREATE INDEX budget_transactions_at ON budget_transactions (at_us);

CREATE TRIGGER budget_transactions_no_update BEFORE UPDATE ON budget_transactions
BEGIN
  SELECT RAISE(ABORT, 'budget_transactions is append-only: an entry is never edited');
END;
CREATE TRIGGER budget_transactions_no_delete BEFORE DELETE ON budget_transactions
WHEN NOT EXISTS (SELECT 1 FROM budget_transactions_archive AS kept WHERE
  kept.sequence = OLD.sequence AND kept.record = OLD.record AND kept.chain = OLD.chain)
BEGIN
  SELECT RAISE(ABORT, 'budget_transactions is append-only: an entry is never deleted');
END;
-- INSERT OR REPLACE deletes without firing the trigger above; this one stops it, and gaps. It ends
-- the whole transaction, so that SQLite need not be ready to undo one row of it.
CREATE TRIGGER budget_transactions_no_gap BEFORE INSERT ON budget_transactions
WHEN NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM budget_transactions)
BEGIN
  SELECT RAISE(ROLLBACK, 'budget_transactions is append-only: a sequence follows the last one');
END;

-- The oldest entries, moved here whole after budget.transaction_retention: 1 to some number; the
-- rest, the last one always among them, are above. Both tables together are the ledger.
CREATE TABLE budget_transactions_archive (
  sequence INTEGER PRIMARY KEY CHECK (sequence > 0),
  at_us INTEGER NOT NULL,
  type TEXT NOT NULL REFERENCES budget_transaction_types (type) DEFERRABLE INITIALLY DEFERRED,
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  request_id TEXT NOT NULL,
  account_id INTEGER REFERENCES budget_accounts (id) DEFERRABLE INITIALLY DEFERRED,
  account_name TEXT NOT NULL,
  budget_id INTEGER REFERENCES budget_periods (id) DEFERRABLE INITIALLY DEFERRED,
  unit TEXT NOT NULL,
  amount_micros INTEGER NOT NULL,
  hold_id INTEGER REFERENCES budget_holds (id) DEFERRABLE INITIALLY DEFERRED,
  user TEXT NOT NULL,
  partition TEXT NOT NULL,
  cluster TEXT NOT NULL,
  job_id INTEGER,
  task INTEGER NOT NULL,
  run INTEGER NOT NULL,
  external_id TEXT,
  price_version INTEGER NOT NULL,
  details TEXT NOT NULL,
  record TEXT NOT NULL CHECK (record <> ''),
  chain BLOB NOT NULL CHECK (length(chain) = 32),
  CHECK (amount_micros >= 0 OR type = 'adjustment')
) STRICT;
CREATE INDEX budget_transactions_archive_account ON budget_transactions_archive (account_name);
CREATE INDEX budget_transactions_archive_hold ON budget_transactions_archive (hold_id)
  WHERE hold_id IS NOT NULL;
CREATE INDEX budget_transactions_archive_job ON budget_transactions_archive (job_id)
  WHERE job_id IS NOT NULL;
CREATE INDEX budget_transactions_archive_external ON budget_transactions_archive (external_id)
  WHERE external_id IS NOT NULL;
CREATE INDEX budget_transactions_archive_at ON budget_transactions_archive (at_us);

CREATE TRIGGER budget_transactions_archive_no_update BEFORE UPDATE ON budget_transactions_archive
BEGIN
  SELECT RAISE(ABORT, 'budget_transactions_archive is append-only: an entry is never edited');
END;
CREATE TRIGGER budget_transactions_archive_no_delete BEFORE DELETE ON budget_transactions_archive
BEGIN
  SELECT RAISE(ABORT, 'budget_transactions_archive is append-only: an entry is never deleted');
END;
CREATE TRIGGER budget_transactions_archive_no_gap BEFORE INSERT ON budget_transactions_archive
WHEN NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM budget_transactions_archive)
  OR NOT EXISTS (SELECT 1 FROM budget_transactions AS moved WHERE moved.sequence = NEW.sequence
    AND moved.record = NEW.record AND moved.chain = NEW.chain)
BEGIN
  SELECT RAISE(ROLLBACK, 'budget_transactions_archive is append-only: only the next entry is moved');
END;

-- What was answered to a request id, so that the same id gets the same answer: the latest row of an
-- id counts. In order of time, so that a commit writes at the end, and what is old is in one piece.
CREATE TABLE budget_request_answers (
  at_us INTEGER NOT NULL,
  request_id TEXT NOT NULL CHECK (request_id <> ''),
  body_digest TEXT NOT NULL,
  outcome TEXT NOT NULL,
  PRIMARY KEY (at_us, request_id)
) STRICT, WITHOUT ROWID;

-- Who may write: each service that takes the database over adds one, and every commit compares.
CREATE TABLE asbb_owner (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  epoch INTEGER NOT NULL CHECK (epoch >= 0)
) STRICT;
INSERT INTO asbb_owner (id, epoch) VALUES (1, 0);
