-- Times are milliseconds since the epoch, 0 for none. Booleans are 0 and 1.
-- {id}, {int}, {blob} and {strict} stand for what the two databases call it.

-- Deliveries as received; body is gzip where it is long, NULL once trimmed.
CREATE TABLE deliveries (
	id          {id},
	forge       TEXT NOT NULL,
	delivery    TEXT NOT NULL,
	event       TEXT NOT NULL,
	action      TEXT NOT NULL,
	header      {blob},
	body        {blob},
	received_at {int} NOT NULL,
	dropped     TEXT NOT NULL,
	UNIQUE (forge, delivery)
) {strict};
CREATE INDEX deliveries_untrimmed ON deliveries (received_at) WHERE body IS NOT NULL;

-- One row per subject. wanted ahead of judged asks for a judgement; claimed is
-- the wanted of the last claim, so that a mark that comes during a judgement
-- is told from the one being judged. again asks for one at a time of its own.
-- checks is the JSON list of the checks that matter, null for any.
CREATE TABLE subjects (
	id          {id},
	forge       TEXT NOT NULL,
	repo_id     TEXT NOT NULL,
	kind        TEXT NOT NULL,
	ref         TEXT NOT NULL,
	wanted      {int} NOT NULL,
	judged      {int} NOT NULL DEFAULT 0,
	claimed     {int} NOT NULL DEFAULT 0,
	reason      TEXT NOT NULL,
	due         {int} NOT NULL,
	again       {int} NOT NULL DEFAULT 0,
	tries       {int} NOT NULL DEFAULT 0,
	problem     TEXT NOT NULL DEFAULT '',
	gave_up     {int} NOT NULL DEFAULT 0,
	marked_at   {int} NOT NULL,
	created_at  {int} NOT NULL,
	claimed_at  {int} NOT NULL DEFAULT 0,
	owner       TEXT NOT NULL DEFAULT '',
	token       TEXT NOT NULL DEFAULT '',
	lease_until {int} NOT NULL DEFAULT 0,
	hint_head   TEXT NOT NULL DEFAULT '',
	hint_base   TEXT NOT NULL DEFAULT '',
	hint_at     {int} NOT NULL DEFAULT 0,
	hint_body   TEXT NOT NULL DEFAULT '',
	hint_detail {blob},
	is_open     {int} NOT NULL,
	head        TEXT NOT NULL DEFAULT '',
	base        TEXT NOT NULL DEFAULT '',
	memory      {blob},
	checks      TEXT NOT NULL DEFAULT 'null',
	verdict     {int} NOT NULL DEFAULT 0,
	next_at     {int} GENERATED ALWAYS AS (
		CASE
			WHEN wanted > judged AND gave_up = 0 THEN CASE WHEN again > 0 AND again < due THEN again ELSE due END
			WHEN again > 0 THEN again
		END) STORED,
	UNIQUE (forge, repo_id, kind, ref)
) {strict};
CREATE INDEX subjects_next ON subjects (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX subjects_leased ON subjects (lease_until) WHERE lease_until > 0;
CREATE INDEX subjects_gave_up ON subjects (id) WHERE gave_up = 1;
CREATE INDEX subjects_open ON subjects (forge, repo_id, kind) WHERE is_open = 1;
CREATE INDEX subjects_head ON subjects (head) WHERE is_open = 1 AND head <> '';
CREATE INDEX subjects_hint_head ON subjects (hint_head) WHERE is_open = 1 AND hint_head <> '';

-- Issues that a change links, as last judged; names in lower case.
CREATE TABLE links (
	subject {int} NOT NULL REFERENCES subjects (id) ON DELETE CASCADE,
	issue   TEXT NOT NULL,
	PRIMARY KEY (issue, subject)
) {strict};
CREATE INDEX links_subject ON links (subject);

-- When a commit, issue or branch last had news, so that a judgement that finds
-- out only at its end what it depends on can tell whether it missed any.
CREATE TABLE news (
	topic TEXT NOT NULL PRIMARY KEY,
	at    {int} NOT NULL
) {strict};

CREATE TABLE verdicts (
	id           {id},
	subject      {int} NOT NULL REFERENCES subjects (id),
	head         TEXT NOT NULL,
	state        TEXT NOT NULL,
	mode         TEXT NOT NULL,
	class        TEXT NOT NULL,
	product      TEXT NOT NULL,
	title        TEXT NOT NULL,
	reason       TEXT NOT NULL,
	policy_oid   TEXT NOT NULL,
	facts_digest TEXT NOT NULL,
	engine       TEXT NOT NULL,
	judged_at    {int} NOT NULL,
	cause        TEXT NOT NULL,
	digest       TEXT NOT NULL,
	verdict      {blob},
	facts        {blob}
) {strict};
CREATE INDEX verdicts_subject ON verdicts (subject, id);

CREATE TABLE acts (
	id      {id},
	act     TEXT NOT NULL UNIQUE,
	subject {int} NOT NULL REFERENCES subjects (id),
	kind    TEXT NOT NULL,
	detail  TEXT NOT NULL,
	verdict {int} NOT NULL,
	at      {int} NOT NULL,
	done_at {int} NOT NULL DEFAULT 0,
	result  TEXT NOT NULL DEFAULT '',
	error   TEXT NOT NULL DEFAULT ''
) {strict};
CREATE INDEX acts_subject ON acts (subject, id);

-- Comments as first seen.
CREATE TABLE seen (
	forge   TEXT NOT NULL,
	repo_id TEXT NOT NULL,
	comment TEXT NOT NULL,
	first   TEXT NOT NULL,
	known   {int} NOT NULL,
	head    TEXT NOT NULL,
	subject TEXT NOT NULL,
	at      {int} NOT NULL,
	PRIMARY KEY (forge, repo_id, comment)
) {strict};

CREATE TABLE pins (
	forge   TEXT NOT NULL,
	repo_id TEXT NOT NULL,
	login   TEXT NOT NULL,
	account TEXT NOT NULL,
	at      {int} NOT NULL,
	PRIMARY KEY (forge, repo_id, login)
) {strict};

CREATE TABLE repos (
	forge          TEXT NOT NULL,
	id             TEXT NOT NULL,
	owner          TEXT NOT NULL,
	name           TEXT NOT NULL,
	installation   TEXT NOT NULL,
	private        {int} NOT NULL,
	default_branch TEXT NOT NULL,
	gone           {int} NOT NULL,
	product        TEXT NOT NULL,
	policy         {blob},
	PRIMARY KEY (forge, id)
) {strict};
CREATE INDEX repos_owner ON repos (forge, lower(owner));

-- Which repository last held a name; names in lower case.
CREATE TABLE repo_names (
	forge TEXT NOT NULL,
	owner TEXT NOT NULL,
	name  TEXT NOT NULL,
	repo  TEXT NOT NULL,
	PRIMARY KEY (forge, owner, name)
) {strict};

CREATE TABLE notes (
	name  TEXT NOT NULL PRIMARY KEY,
	value TEXT NOT NULL
) {strict};
