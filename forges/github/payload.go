package github

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"primum/forges"
	"primum/rules/fact"
)

// payload is what Primum reads of any delivery. It is one type for all events:
// GitHub's payloads share their words, a field that an event lacks stays nil,
// and parsing only what is used keeps intake fast. go-github's types lack
// merge_group.reason and comment.performed_via_github_app, and refuse a
// payload for a date they cannot read.
type payload struct {
	Action       string      `json:"action"`
	Repository   *repository `json:"repository"`
	Sender       *account    `json:"sender"`
	Installation *struct {
		ID      int64    `json:"id"`
		Account *account `json:"account"`
	} `json:"installation"`
	Organization *account `json:"organization"`
	Changes      changes  `json:"changes"`

	PullRequest *pullRequest `json:"pull_request"`
	Number      int          `json:"number"`
	Before      string       `json:"before"`
	After       string       `json:"after"`

	Review  *remark `json:"review"`
	Comment *remark `json:"comment"`
	Issue   *issue  `json:"issue"`

	CheckRun        *checkRun   `json:"check_run"`
	CheckSuite      *checkSuite `json:"check_suite"`
	RequestedAction *struct {
		Identifier string `json:"identifier"`
	} `json:"requested_action"`

	// Of status.
	SHA       string `json:"sha"`
	Context   string `json:"context"`
	State     string `json:"state"`
	UpdatedAt stamp  `json:"updated_at"`

	MergeGroup *struct {
		HeadSHA string `json:"head_sha"`
		HeadRef string `json:"head_ref"`
		BaseSHA string `json:"base_sha"`
		BaseRef string `json:"base_ref"`
	} `json:"merge_group"`
	Reason string `json:"reason"`

	// Of push.
	Ref     string `json:"ref"`
	Deleted bool   `json:"deleted"`
	Created bool   `json:"created"`
	Forced  bool   `json:"forced"`
	Commits []struct {
		ID       string   `json:"id"`
		Added    []string `json:"added"`
		Removed  []string `json:"removed"`
		Modified []string `json:"modified"`
	} `json:"commits"`

	// Of installation and installation_repositories.
	Repositories        []repository `json:"repositories"`
	RepositoriesAdded   []repository `json:"repositories_added"`
	RepositoriesRemoved []repository `json:"repositories_removed"`
}

type account struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Type  string `json:"type"`
	Name  string `json:"name"`
}

func (a *account) person() fact.Person {
	if a == nil || a.ID == 0 {
		return fact.Person{}
	}
	return fact.Person{ID: strconv.FormatInt(a.ID, 10), Login: a.Login, Name: a.Name, Bot: a.Type == typeBot || isBotLogin(a.Login)}
}

type application struct {
	ID   int64  `json:"id"`
	Slug string `json:"slug"`
}

type repository struct {
	ID            int64    `json:"id"`
	Name          string   `json:"name"`
	FullName      string   `json:"full_name"`
	Private       bool     `json:"private"`
	DefaultBranch string   `json:"default_branch"`
	Owner         *account `json:"owner"`
}

// owner is the owner's login. The owner of a push payload may be told by
// "name" alone.
func (r *repository) owner() string {
	if r.Owner != nil && r.Owner.Login != "" {
		return r.Owner.Login
	}
	if owner, _, ok := cut(r.FullName); ok {
		return owner
	}
	if r.Owner != nil {
		return r.Owner.Name
	}
	return ""
}

type side struct {
	Ref  string      `json:"ref"`
	SHA  string      `json:"sha"`
	Repo *repository `json:"repo"`
}

type pullRequest struct {
	ID        int64    `json:"id"`
	Number    int      `json:"number"`
	Title     string   `json:"title"`
	Body      string   `json:"body"`
	State     string   `json:"state"`
	Draft     bool     `json:"draft"`
	Merged    bool     `json:"merged"`
	UpdatedAt stamp    `json:"updated_at"`
	Head      side     `json:"head"`
	Base      side     `json:"base"`
	User      *account `json:"user"`
}

type issue struct {
	Number      int             `json:"number"`
	Title       string          `json:"title"`
	Body        string          `json:"body"`
	UpdatedAt   stamp           `json:"updated_at"`
	PullRequest json.RawMessage `json:"pull_request"`
	Repository  string          `json:"repository_url"`
}

// isChange reports whether the number belongs to a change.
func (i *issue) isChange() bool {
	return len(i.PullRequest) > 0 && !bytes.Equal(i.PullRequest, []byte("null"))
}

// remark is a comment, a review comment or a review.
type remark struct {
	ID          int64        `json:"id"`
	Body        string       `json:"body"`
	User        *account     `json:"user"`
	CreatedAt   stamp        `json:"created_at"`
	UpdatedAt   stamp        `json:"updated_at"`
	SubmittedAt stamp        `json:"submitted_at"`
	State       string       `json:"state"`
	CommitID    string       `json:"commit_id"`
	App         *application `json:"performed_via_github_app"`
}

type pullNumber struct {
	Number int  `json:"number"`
	Base   side `json:"base"`
}

type checkRun struct {
	ID           int64        `json:"id"`
	Name         string       `json:"name"`
	HeadSHA      string       `json:"head_sha"`
	ExternalID   string       `json:"external_id"`
	Status       string       `json:"status"`
	StartedAt    stamp        `json:"started_at"`
	CompletedAt  stamp        `json:"completed_at"`
	App          *application `json:"app"`
	PullRequests []pullNumber `json:"pull_requests"`
}

type checkSuite struct {
	HeadSHA      string       `json:"head_sha"`
	Status       string       `json:"status"`
	UpdatedAt    stamp        `json:"updated_at"`
	App          *application `json:"app"`
	PullRequests []pullNumber `json:"pull_requests"`
}

type from struct {
	From string `json:"from"`
}

// changes says what an edit changed. GitHub sends it as an object or not at
// all; a payload that has something else there loses it and nothing more.
type changes struct {
	Title *from
	Body  *from
	Base  bool
	Label *from  // former name of a label
	Name  string // former name of a repository
	Owner string // former owner of a repository
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *changes) UnmarshalJSON(raw []byte) error {
	var wire struct {
		Title *from           `json:"title"`
		Name  *from           `json:"name"`
		Body  *from           `json:"body"`
		Base  json.RawMessage `json:"base"`
		Repo  *struct {
			Name *from `json:"name"`
		} `json:"repository"`
		Owner *struct {
			From *struct {
				User         *account `json:"user"`
				Organization *account `json:"organization"`
			} `json:"from"`
		} `json:"owner"`
	}
	if json.Unmarshal(raw, &wire) != nil {
		return nil //nolint:nilerr // changes of other events have other shapes
	}
	c.Title, c.Body, c.Label, c.Base = wire.Title, wire.Body, wire.Name, len(wire.Base) > 0
	if wire.Repo != nil && wire.Repo.Name != nil {
		c.Name = wire.Repo.Name.From
	}
	if wire.Owner != nil && wire.Owner.From != nil {
		for _, a := range []*account{wire.Owner.From.User, wire.Owner.From.Organization} {
			if a != nil {
				c.Owner = a.Login
			}
		}
	}
	return nil
}

// stamp is a time as GitHub writes it: RFC 3339, or seconds in some payloads.
// One that cannot be read is no time: nothing is decided by it alone.
type stamp struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (s *stamp) UnmarshalJSON(raw []byte) error {
	text, err := strconv.Unquote(string(raw))
	if err != nil {
		if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil && n > 0 {
			s.Time = time.Unix(n, 0).UTC()
		}
		return nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		s.Time = t.UTC()
	}
	return nil
}

// ref names a repository as a payload shows it.
func (f *Forge) ref(p *payload, r *repository) forges.RepoRef {
	ref := forges.RepoRef{Forge: f.Key()}
	if p.Installation != nil && p.Installation.ID != 0 {
		ref.Installation = strconv.FormatInt(p.Installation.ID, 10)
	}
	if r == nil {
		return ref
	}
	if r.ID != 0 {
		ref.ID = strconv.FormatInt(r.ID, 10)
	}
	ref.Owner, ref.Name = r.owner(), r.Name
	ref.Private, ref.Default = r.Private, r.DefaultBranch
	return ref
}
