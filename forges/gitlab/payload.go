package gitlab

import (
	"encoding/json"
	"strings"
	"time"

	"primum/forges"
	"primum/rules/fact"
)

// payload is what we read of deliveries; a part that an event has not is nil.
// The names are GitLab's, per doc/user/project/integrations/webhook_events.md
// and doc/administration/system_hooks.md. The library's own types drop some of
// them: draft, oldrev, action of a note, the type of a work item.
type payload struct {
	Kind  string `json:"object_kind"`
	Event string `json:"event_name"` // of push, member, project, group and system events
	Type  string `json:"event_type"`

	User    *account    `json:"user"`
	Project *project    `json:"project"`
	Object  *attributes `json:"object_attributes"`
	Change  *subject    `json:"merge_request"` // what a note, pipeline or emoji is about
	Issue   *subject    `json:"issue"`
	Note    *attributes `json:"note"` // what an emoji is on
	Changes *changes    `json:"changes"`
	Check   *struct {
		Name string `json:"name"`
	} `json:"external_approval_rule"`

	// Push and tag.
	Ref      string   `json:"ref"`
	Before   string   `json:"before"`
	After    string   `json:"after"`
	UserID   int64    `json:"user_id"`
	UserName string   `json:"user_name"`
	Login    string   `json:"user_username"`
	Commits  []commit `json:"commits"`
	Total    *int     `json:"total_commits_count"`
	// Protected says of the branch that it is.
	Protected *bool `json:"ref_protected"`

	// Job.
	SHA        string `json:"sha"`
	BuildID    int64  `json:"build_id"`
	BuildName  string `json:"build_name"`
	BuildState string `json:"build_status"`

	// Member, project, group and system events.
	ProjectID     int64  `json:"project_id"`
	Path          string `json:"path_with_namespace"`
	OldPath       string `json:"old_path_with_namespace"`
	ProjectPath   string `json:"project_path_with_namespace"`
	GroupID       int64  `json:"group_id"`
	GroupPath     string `json:"group_path"`
	FullPath      string `json:"full_path"`
	OldFullPath   string `json:"old_full_path"`
	ParentPath    string `json:"parent_full_path"`
	ProjectHidden string `json:"project_visibility"`
}

type account struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
	Name     string `json:"name"`
}

func (a *account) person() fact.Person {
	if a == nil {
		return fact.Person{}
	}
	return person(decimal(a.ID), a.Username, a.Name, false)
}

type project struct {
	ID      int64  `json:"id"`
	Path    string `json:"path_with_namespace"`
	Default string `json:"default_branch"`
	Level   *int   `json:"visibility_level"` // 20 is public
}

// attributes are the thing itself: a change, an issue, a note, a pipeline.
type attributes struct {
	ID           int64  `json:"id"`
	IID          int    `json:"iid"`
	Action       string `json:"action"`
	State        string `json:"state"`
	Title        string `json:"title"`
	Description  string `json:"description"`
	Draft        *bool  `json:"draft"`
	TargetBranch string `json:"target_branch"`
	SourceBranch string `json:"source_branch"`
	OldRev       string `json:"oldrev"`
	LastCommit   *struct {
		ID string `json:"id"`
	} `json:"last_commit"`
	AuthorID   int64  `json:"author_id"`
	UpdatedBy  int64  `json:"updated_by_id"`
	CreatedAt  stamp  `json:"created_at"`
	UpdatedAt  stamp  `json:"updated_at"`
	System     bool   `json:"system"`
	SystemDeed string `json:"system_action"` // of approvals GitLab withdrew itself
	ItemType   string `json:"type"`          // of a note: DiffNote, DiscussionNote; of a work item: Issue, Task

	// Of a note.
	Text         string `json:"note"`
	On           string `json:"noteable_type"` //nolint:misspell // GitLab's word
	DiscussionID string `json:"discussion_id"`

	// Of a pipeline.
	SHA    string `json:"sha"`
	Ref    string `json:"ref"`
	Status string `json:"status"`
	Source text   `json:"source"` // of a change it is a project

	// Of an emoji.
	Name          string `json:"name"`
	AwardableType string `json:"awardable_type"`
}

// text is a field that is a text in some payloads and something else in others,
// where it is left empty.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(raw []byte) error {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		*t = text(s)
	}
	return nil
}

// subject is the change or issue another thing is about.
type subject struct {
	ID           int64  `json:"id"`
	IID          int    `json:"iid"`
	Title        string `json:"title"`
	Description  string `json:"description"`
	State        string `json:"state"`
	TargetBranch string `json:"target_branch"`
	UpdatedAt    stamp  `json:"updated_at"`
	LastCommit   *struct {
		ID string `json:"id"`
	} `json:"last_commit"`
}

type commit struct {
	ID       string   `json:"id"`
	Added    []string `json:"added"`
	Modified []string `json:"modified"`
	Removed  []string `json:"removed"`
}

// changes says what is otherwise than before. GitLab sends the field empty, as
// an object or as a list.
type changes struct{ fields map[string]json.RawMessage }

// UnmarshalJSON implements json.Unmarshaler.
func (c *changes) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '{' {
		return json.Unmarshal(raw, &c.fields)
	}
	return nil
}

// any reports whether one of the fields changed.
func (c *changes) any(names ...string) bool {
	if c == nil {
		return false
	}
	for _, n := range names {
		if _, ok := c.fields[n]; ok {
			return true
		}
	}
	return false
}

// previous is what a text field was before; "" if it did not change.
func (c *changes) previous(name string) string {
	if c == nil {
		return ""
	}
	var was struct {
		Previous *string `json:"previous"`
	}
	if json.Unmarshal(c.fields[name], &was) != nil || was.Previous == nil {
		return ""
	}
	return *was.Previous
}

// stamp is a time as deliveries write it: ISO 8601, or "2015-05-17 18:08:09 UTC".
type stamp struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler. What is no time is no time, and no
// reason to refuse a delivery.
func (s *stamp) UnmarshalJSON(raw []byte) error {
	var word string
	if json.Unmarshal(raw, &word) != nil {
		return nil //nolint:nilerr // see above
	}
	word = strings.TrimSpace(word)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05.999999999 MST"} {
		if at, err := time.Parse(layout, word); err == nil {
			s.Time = at.UTC()
			return nil
		}
	}
	return nil
}

// ref is the payload's project as a repository.
func (f *Forge) ref(p *project) forges.RepoRef {
	owner, name := cut(p.Path)
	return forges.RepoRef{
		Forge: f.Key(), ID: decimal(p.ID), Owner: owner, Name: name,
		Private: p.Level != nil && *p.Level != 20, Default: p.Default,
	}
}
