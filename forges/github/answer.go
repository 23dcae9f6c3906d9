package github

import (
	"encoding/json"
	"strings"
	"time"

	"primum/rules/fact"
)

// The answer to change.graphql, field by field as asked.

// open is an object with fields of fixed names and aliases besides.
type open[T any] struct {
	is   T
	more map[string]json.RawMessage
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *open[T]) UnmarshalJSON(raw []byte) error {
	if err := json.Unmarshal(raw, &o.is); err != nil {
		return err
	}
	return json.Unmarshal(raw, &o.more)
}

// alias decodes one alias; false if it is null or was not answered.
func (o *open[T]) alias(name string, into any) (bool, error) {
	raw, ok := o.more[name]
	if !ok || string(raw) == "null" {
		return false, nil
	}
	return true, json.Unmarshal(raw, into)
}

type changeAnswer struct {
	Repository *open[repoNode] `json:"repository"`
}

type repoNode struct {
	DatabaseID int64           `json:"databaseId"`
	Name       string          `json:"name"`
	URL        string          `json:"url"`
	IsPrivate  bool            `json:"isPrivate"`
	Owner      open[actorNode] `json:"owner"`
	Default    *struct {
		Name string `json:"name"`
	} `json:"defaultBranchRef"`
	PullRequest *pullNode `json:"pullRequest"`
}

type pullNode struct {
	coreNode

	Number       int       `json:"number"`
	URL          string    `json:"url"`
	State        string    `json:"state"`
	IsDraft      bool      `json:"isDraft"`
	HeadRefOid   string    `json:"headRefOid"`
	BaseRefOid   string    `json:"baseRefOid"`
	UpdatedAt    time.Time `json:"updatedAt"`
	ChangedFiles int       `json:"changedFiles"`

	Files *struct {
		PageInfo pageInfo   `json:"pageInfo"`
		Nodes    []fileNode `json:"nodes"`
	} `json:"files"`
	Commits *struct {
		TotalCount int      `json:"totalCount"`
		PageInfo   pageInfo `json:"pageInfo"`
		Nodes      []struct {
			Commit commitNode `json:"commit"`
		} `json:"nodes"`
	} `json:"commits"`
	Reviews    *page[reviewNode]    `json:"reviews"`
	Dismissals *page[dismissalNode] `json:"timelineItems"`
	Threads    *page[threadNode]    `json:"reviewThreads"`
	Comments   *page[commentNode]   `json:"comments"`
	Closing    *page[*issueNode]    `json:"closingIssuesReferences"`
	Last       *lastCommit          `json:"last"`
}

type coreNode struct {
	Title       string     `json:"title"`
	Body        string     `json:"body"`
	Author      *actorNode `json:"author"`
	CreatedAt   time.Time  `json:"createdAt"`
	MergedAt    *time.Time `json:"mergedAt"`
	MergeCommit *struct {
		Oid string `json:"oid"`
	} `json:"mergeCommit"`
	Labels         *page[labelNode] `json:"labels"`
	HeadRefName    string           `json:"headRefName"`
	HeadRepository *struct {
		NameWithOwner string `json:"nameWithOwner"`
	} `json:"headRepository"`
	BaseRefName string `json:"baseRefName"`
	BaseRef     *struct {
		Target *open[baseNode] `json:"target"`
	} `json:"baseRef"`
	HeadPolicy *lastCommit `json:"headPolicy"`
}

// lastCommit is the last commit listed of the change.
type lastCommit struct {
	Nodes []struct {
		Commit headNode `json:"commit"`
	} `json:"nodes"`
}

func nodeOf(n headNode) *lastCommit {
	l := &lastCommit{Nodes: make([]struct {
		Commit headNode `json:"commit"`
	}, 1)}
	l.Nodes[0].Commit = n
	return l
}

type baseNode struct {
	Oid  string     `json:"oid"`
	File *entryNode `json:"file"`
}

type headNode struct {
	Oid    string     `json:"oid"`
	File   *entryNode `json:"file"`
	Rollup *struct {
		Contexts *page[contextNode] `json:"contexts"`
	} `json:"statusCheckRollup"`
}

type page[T any] struct {
	PageInfo pageInfo `json:"pageInfo"`
	Nodes    []T      `json:"nodes"`
}

type pageInfo struct {
	HasNextPage bool   `json:"hasNextPage"`
	EndCursor   string `json:"endCursor"`
}

type labelNode struct {
	Name string `json:"name"`
}

type actorNode struct {
	Typename   string `json:"__typename"`
	DatabaseID int64  `json:"databaseId"`
	Login      string `json:"login"`
	Name       string `json:"name"`
}

// person is who the actor is. GraphQL tells a bot's login without the "[bot]"
// that REST and webhooks put behind it; here it always has it. An account
// without a number is nobody's, but its login is shown.
func (a *actorNode) person() fact.Person {
	if a == nil {
		return fact.Person{}
	}
	p := fact.Person{Login: a.Login, Name: a.Name}
	if a.DatabaseID > 0 {
		p.ID = decimal(a.DatabaseID)
	}
	if a.Typename == typeBot && !isBotLogin(p.Login) {
		p.Login += botSuffix
	}
	p.Bot = isBotLogin(p.Login) || p.Login == webFlow
	return p
}

type fileNode struct {
	Path       string `json:"path"`
	ChangeType string `json:"changeType"`
	Additions  int    `json:"additions"`
	Deletions  int    `json:"deletions"`
}

type gitNode struct {
	Name  string     `json:"name"`
	Email string     `json:"email"`
	User  *actorNode `json:"user"`
}

func (g *gitNode) identity() fact.Identity {
	if g == nil {
		return fact.Identity{}
	}
	return fact.Identity{Name: g.Name, Email: g.Email, Account: g.User.person()}
}

type commitNode struct {
	Oid           string          `json:"oid"`
	Message       string          `json:"message"`
	AuthoredDate  time.Time       `json:"authoredDate"`
	CommittedDate time.Time       `json:"committedDate"`
	Author        *gitNode        `json:"author"`
	Committer     *gitNode        `json:"committer"`
	Authors       *page[*gitNode] `json:"authors"`
	Parents       struct {
		TotalCount int `json:"totalCount"`
	} `json:"parents"`
	Signature *struct {
		IsValid           bool   `json:"isValid"`
		State             string `json:"state"`
		WasSignedByGitHub bool   `json:"wasSignedByGitHub"`
	} `json:"signature"`
}

func (n *commitNode) fact() fact.Commit {
	c := fact.Commit{
		SHA: n.Oid, Message: n.Message, Author: n.Author.identity(), Committer: n.Committer.identity(),
		Parents: n.Parents.TotalCount, AuthoredAt: n.AuthoredDate.UTC(), CommittedAt: n.CommittedDate.UTC(),
	}
	if n.Authors != nil {
		for _, a := range n.Authors.Nodes {
			id := a.identity()
			if !same(id, c.Author) {
				c.CoAuthors = append(c.CoAuthors, id)
			}
		}
	}
	if s := n.Signature; s != nil && s.State != "UNSIGNED" {
		c.Signature = fact.Signature{Present: true, Valid: s.IsValid, ByForge: s.WasSignedByGitHub}
		if !s.IsValid {
			c.Signature.Reason = strings.ToLower(s.State)
		}
	}
	return c
}

// same reports whether two identities of one commit are one person's.
func same(a, b fact.Identity) bool {
	if a.Account.Known() && b.Account.Known() {
		return a.Account.Is(b.Account)
	}
	return strings.EqualFold(a.Email, b.Email) && a.Name == b.Name
}

type reviewNode struct {
	ID             string     `json:"id"`
	FullDatabaseID bigInt     `json:"fullDatabaseId"`
	URL            string     `json:"url"`
	Author         *actorNode `json:"author"`
	State          string     `json:"state"`
	Body           string     `json:"body"`
	SubmittedAt    *time.Time `json:"submittedAt"`
	LastEditedAt   *time.Time `json:"lastEditedAt"`
	Editor         *actorNode `json:"editor"`
	Commit         *struct {
		Oid string `json:"oid"`
	} `json:"commit"`
}

type dismissalNode struct {
	Actor     *actorNode `json:"actor"`
	CreatedAt time.Time  `json:"createdAt"`
	Review    *struct {
		ID string `json:"id"`
	} `json:"review"`
}

type threadNode struct {
	IsResolved bool              `json:"isResolved"`
	IsOutdated bool              `json:"isOutdated"`
	Path       string            `json:"path"`
	Line       int               `json:"line"`
	Comments   page[commentNode] `json:"comments"`
}

type commentNode struct {
	FullDatabaseID  bigInt     `json:"fullDatabaseId"`
	URL             string     `json:"url"`
	Author          *actorNode `json:"author"`
	ViewerDidAuthor bool       `json:"viewerDidAuthor"`
	Body            string     `json:"body"`
	CreatedAt       time.Time  `json:"createdAt"`
	LastEditedAt    *time.Time `json:"lastEditedAt"`
	Editor          *actorNode `json:"editor"`
	IsMinimized     bool       `json:"isMinimized"`
}

type issueNode struct {
	Typename    string  `json:"__typename"`
	Number      int     `json:"number"`
	URL         string  `json:"url"`
	Title       string  `json:"title"`
	Body        string  `json:"body"`
	IssueState  string  `json:"issueState"`
	ChangeState string  `json:"changeState"`
	StateReason *string `json:"stateReason"`
	Repository  struct {
		NameWithOwner string `json:"nameWithOwner"`
	} `json:"repository"`
	Author       *actorNode `json:"author"`
	CreatedAt    time.Time  `json:"createdAt"`
	UpdatedAt    time.Time  `json:"updatedAt"`
	ClosedAt     *time.Time `json:"closedAt"`
	LastEditedAt *time.Time `json:"lastEditedAt"`
	Editor       *actorNode `json:"editor"`
	Milestone    *struct {
		Title string `json:"title"`
	} `json:"milestone"`
	Labels   *page[labelNode]      `json:"labels"`
	Events   *page[issueEventNode] `json:"timelineItems"`
	Comments *page[commentNode]    `json:"comments"`
}

type issueEventNode struct {
	Typename  string     `json:"__typename"`
	CreatedAt time.Time  `json:"createdAt"`
	Actor     *actorNode `json:"actor"`
	Label     *labelNode `json:"label"`
}

type contextNode struct {
	Typename    string     `json:"__typename"`
	DatabaseID  int64      `json:"databaseId"`
	Name        string     `json:"name"`
	Status      string     `json:"status"`
	Conclusion  string     `json:"conclusion"`
	ExternalID  string     `json:"externalId"`
	URL         string     `json:"url"`
	DetailsURL  string     `json:"detailsUrl"`
	StartedAt   *time.Time `json:"startedAt"`
	CompletedAt *time.Time `json:"completedAt"`
	CheckSuite  *struct {
		App *struct {
			DatabaseID int64  `json:"databaseId"`
			Slug       string `json:"slug"`
		} `json:"app"`
	} `json:"checkSuite"`
	Context   string     `json:"context"`
	State     string     `json:"state"`
	TargetURL string     `json:"targetUrl"`
	CreatedAt time.Time  `json:"createdAt"`
	Creator   *actorNode `json:"creator"`
}

type entryNode struct {
	Type   string    `json:"type"`
	Object *blobNode `json:"object"`
}

type blobNode struct {
	Oid         string  `json:"oid"`
	ByteSize    int     `json:"byteSize"`
	IsBinary    *bool   `json:"isBinary"`
	IsTruncated bool    `json:"isTruncated"`
	Text        *string `json:"text"`
}

type memberPage struct {
	Slug    string           `json:"slug"`
	Members *page[actorNode] `json:"members"`
}

// bigInt is a BigInt, which GraphQL tells as a word.
type bigInt string

// UnmarshalJSON implements json.Unmarshaler.
func (b *bigInt) UnmarshalJSON(raw []byte) error {
	if s := strings.Trim(string(raw), `"`); s != "null" {
		*b = bigInt(s)
	}
	return nil
}

// at is a time that may be null.
func at(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}
