package gitea

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"primum/forges"
	"primum/rules/fact"
)

// user is an account as answers and deliveries have it. Neither says whether it
// is a person or a machine.
type user struct {
	ID       int64  `json:"id"`
	Login    string `json:"login"`
	UserName string `json:"username"` // of old deliveries
	FullName string `json:"full_name"`
}

// person is nobody for a deleted account. Workflows act as an account that
// everybody's can start, so it is a bot.
func (u *user) person() fact.Person {
	switch {
	case u == nil, u.ID == 0, u.ID <= ghostID && u.ID != actionsID:
		return fact.Person{}
	}
	login := u.Login
	if login == "" {
		login = u.UserName
	}
	return fact.Person{ID: strconv.FormatInt(u.ID, 10), Login: login, Name: u.FullName, Bot: u.ID == actionsID}
}

// repository is a repository as answers and deliveries have it.
type repository struct {
	ID            int64  `json:"id"`
	Name          string `json:"name"`
	FullName      string `json:"full_name"`
	Private       bool   `json:"private"`
	Internal      bool   `json:"internal"`
	DefaultBranch string `json:"default_branch"`
	HTMLURL       string `json:"html_url"`
	Archived      bool   `json:"archived"`
	Owner         *user  `json:"owner"`
}

func (r *repository) owner() string {
	if r.Owner != nil && r.Owner.Login != "" {
		return r.Owner.Login
	}
	owner, _, _ := cut(r.FullName)
	return owner
}

// ref names a repository as shown.
func (f *Forge) ref(r *repository) forges.RepoRef {
	ref := forges.RepoRef{Forge: f.Key()}
	if r == nil {
		return ref
	}
	if r.ID > 0 {
		ref.ID = decimal(r.ID)
	}
	ref.Owner, ref.Name, ref.Private, ref.Default = r.owner(), r.Name, r.Private || r.Internal, r.DefaultBranch
	return ref
}

// stamp is a time as the forge writes it. One that cannot be read is no time,
// and so is the year 1: nothing is decided by it alone.
type stamp struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (s *stamp) UnmarshalJSON(raw []byte) error {
	text, err := strconv.Unquote(string(raw))
	if err != nil {
		return nil //nolint:nilerr // null, or no time
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil && t.Year() > 1970 {
		s.Time = t.UTC()
	}
	return nil
}

// payload is what Primum reads of any delivery. It is one type for all events:
// they share their words, and a field that an event lacks stays nil.
type payload struct {
	Action       string      `json:"action"`
	Repository   *repository `json:"repository"`
	Sender       *user       `json:"sender"`
	Organization *user       `json:"organization"`
	Changes      changes     `json:"changes"`

	Number      int          `json:"number"`
	PullRequest *pullPayload `json:"pull_request"`
	Review      *struct {
		Type    string `json:"type"`
		Content string `json:"content"`
	} `json:"review"`
	Issue   *issuePayload   `json:"issue"`
	Comment *commentPayload `json:"comment"`
	IsPull  bool            `json:"is_pull"`

	// Of status.
	SHA       string `json:"sha"`
	Context   string `json:"context"`
	State     string `json:"state"`
	UpdatedAt stamp  `json:"updated_at"`

	// Of push, create and delete.
	Ref     string `json:"ref"`
	RefType string `json:"ref_type"`
	Before  string `json:"before"`
	After   string `json:"after"`

	// Of Gitea's workflows and jobs.
	WorkflowRun *runPayload `json:"workflow_run"`
	WorkflowJob *runPayload `json:"workflow_job"`
	// Of Forgejo's.
	Run *struct {
		CommitSHA  string      `json:"commit_sha"`
		WorkflowID string      `json:"workflow_id"`
		Repository *repository `json:"repository"`
	} `json:"run"`
}

type runPayload struct {
	Name    string `json:"name"`
	HeadSHA string `json:"head_sha"`
	Status  string `json:"status"`
}

type sidePayload struct {
	Ref  string      `json:"ref"`
	SHA  string      `json:"sha"`
	Repo *repository `json:"repo"`
}

type pullPayload struct {
	Number    int         `json:"number"`
	Title     string      `json:"title"`
	Body      string      `json:"body"`
	State     string      `json:"state"`
	UpdatedAt stamp       `json:"updated_at"`
	Head      sidePayload `json:"head"`
	Base      sidePayload `json:"base"`
}

type issuePayload struct {
	Number      int             `json:"number"`
	Title       string          `json:"title"`
	Body        string          `json:"body"`
	UpdatedAt   stamp           `json:"updated_at"`
	PullRequest json.RawMessage `json:"pull_request"`
}

// isChange reports whether the number belongs to a change.
func (i *issuePayload) isChange() bool {
	return len(i.PullRequest) > 0 && !bytes.Equal(i.PullRequest, []byte("null"))
}

type commentPayload struct {
	ID        int64  `json:"id"`
	Body      string `json:"body"`
	User      *user  `json:"user"`
	CreatedAt stamp  `json:"created_at"`
	UpdatedAt stamp  `json:"updated_at"`
	PullURL   string `json:"pull_request_url"`
}

// changes says what an edit changed. A payload that has something else there
// loses it and nothing more.
type changes struct {
	Title *string
	Body  *string
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *changes) UnmarshalJSON(raw []byte) error {
	var wire struct {
		Title *struct {
			From string `json:"from"`
		} `json:"title"`
		Body *struct {
			From string `json:"from"`
		} `json:"body"`
	}
	if json.Unmarshal(raw, &wire) != nil {
		return nil //nolint:nilerr // changes of other events have other shapes
	}
	if wire.Title != nil {
		c.Title = &wire.Title.From
	}
	if wire.Body != nil {
		c.Body = &wire.Body.From
	}
	return nil
}
