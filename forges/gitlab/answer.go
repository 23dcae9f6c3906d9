package gitlab

import (
	"time"

	"primum/rules/fact"
)

// The shapes of GraphQL answers, in GitLab's words.

type page[T any] struct {
	PageInfo struct {
		HasNextPage bool   `json:"hasNextPage"`
		EndCursor   string `json:"endCursor"`
	} `json:"pageInfo"`
	Nodes []T `json:"nodes"`
}

// next is the cursor of the page after this one, "" if there is none.
func (p *page[T]) next() string {
	if p == nil || !p.PageInfo.HasNextPage {
		return ""
	}
	return p.PageInfo.EndCursor
}

type userNode struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Name     string `json:"name"`
	Bot      bool   `json:"bot"`
}

func (u *userNode) person() fact.Person {
	if u == nil {
		return fact.Person{}
	}
	return person(number(u.ID), u.Username, u.Name, u.Bot)
}

type reviewerNode struct {
	userNode
	Interaction *struct {
		ReviewState string `json:"reviewState"`
	} `json:"mergeRequestInteraction"`
}

type titled struct {
	Title string `json:"title"`
}

type shaNode struct {
	SHA string `json:"sha"`
}

type treeNode struct {
	LastCommit *shaNode `json:"lastCommit"`
}

// tip is the commit of a tree, "" if there is none.
func (t *treeNode) tip() string {
	if t == nil || t.LastCommit == nil {
		return ""
	}
	return t.LastCommit.SHA
}

type blobNode struct {
	Path string `json:"path"`
	OID  string `json:"oid"`
	// Size is a number, or one in quotes where it is large.
	Size bigInt  `json:"size"`
	Text *string `json:"rawTextBlob"`
}

type changeAnswer struct {
	Project *struct {
		ID         string `json:"id"`
		FullPath   string `json:"fullPath"`
		WebURL     string `json:"webUrl"`
		Visibility string `json:"visibility"`
		Repository *struct {
			RootRef string          `json:"rootRef"`
			Tree    *treeNode       `json:"tree"`
			Base    *page[blobNode] `json:"base"`
			Head    *page[blobNode] `json:"head"`
		} `json:"repository"`
		MergeRequest *changeNode      `json:"mergeRequest"`
		Issues       *page[issueNode] `json:"issues"`
	} `json:"project"`
}

type changeNode struct {
	ID              string     `json:"id"`
	State           string     `json:"state"`
	HeadSHA         string     `json:"diffHeadSha"`
	Title           string     `json:"title"`
	Description     *string    `json:"description"`
	Draft           bool       `json:"draft"`
	WebURL          string     `json:"webUrl"`
	CreatedAt       time.Time  `json:"createdAt"`
	UpdatedAt       time.Time  `json:"updatedAt"`
	MergedAt        *time.Time `json:"mergedAt"`
	MergeCommitSHA  *string    `json:"mergeCommitSha"`
	SourceBranch    string     `json:"sourceBranch"`
	TargetBranch    string     `json:"targetBranch"`
	PreparedAt      *time.Time `json:"preparedAt"`
	MergeStatusEnum string     `json:"mergeStatusEnum"`
	CommitCount     *int       `json:"commitCount"`
	DiffRefs        *struct {
		BaseSHA  string `json:"baseSha"`
		HeadSHA  string `json:"headSha"`
		StartSHA string `json:"startSha"`
	} `json:"diffRefs"`
	SourceProject *struct {
		ID       string `json:"id"`
		FullPath string `json:"fullPath"`
	} `json:"sourceProject"`
	Author     *userNode           `json:"author"`
	Labels     *page[titled]       `json:"labels"`
	Notes      *page[noteNode]     `json:"notes"`
	ApprovedBy *page[userNode]     `json:"approvedBy"`
	Reviewers  *page[reviewerNode] `json:"reviewers"`
	Pipeline   *pipelineNode       `json:"headPipeline"`
	Commits    *page[commitNode]   `json:"commits"`
}

type noteNode struct {
	ID     string `json:"id"`
	Body   string `json:"body"`
	System bool   `json:"system"`
	Meta   *struct {
		Action *string `json:"action"`
	} `json:"systemNoteMetadata"`
	CreatedAt    time.Time  `json:"createdAt"`
	LastEditedAt *time.Time `json:"lastEditedAt"`
	LastEditedBy *userNode  `json:"lastEditedBy"`
	Author       *userNode  `json:"author"`
	Discussion   *struct {
		ID         string `json:"id"`
		Resolvable bool   `json:"resolvable"`
		Resolved   bool   `json:"resolved"`
	} `json:"discussion"`
	Position *struct {
		FilePath string `json:"filePath"`
		NewLine  *int   `json:"newLine"`
		OldLine  *int   `json:"oldLine"`
		DiffRefs *struct {
			HeadSHA string `json:"headSha"`
		} `json:"diffRefs"`
	} `json:"position"`
}

// deed is what a note of GitLab's own tells of: "approved", "description".
func (n *noteNode) deed() string {
	if !n.System || n.Meta == nil || n.Meta.Action == nil {
		return ""
	}
	return *n.Meta.Action
}

type pipelineNode struct {
	ID     string         `json:"id"`
	SHA    string         `json:"sha"`
	Ref    string         `json:"ref"`
	Status string         `json:"status"`
	Jobs   *page[jobNode] `json:"jobs"`
}

type jobNode struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	Status       string     `json:"status"`
	AllowFailure bool       `json:"allowFailure"`
	CreatedAt    *time.Time `json:"createdAt"`
	StartedAt    *time.Time `json:"startedAt"`
	FinishedAt   *time.Time `json:"finishedAt"`
	WebPath      *string    `json:"webPath"`
}

type issueNode struct {
	IID         string          `json:"iid"`
	Title       string          `json:"title"`
	Description *string         `json:"description"`
	State       string          `json:"state"`
	WebURL      string          `json:"webUrl"`
	CreatedAt   time.Time       `json:"createdAt"`
	UpdatedAt   time.Time       `json:"updatedAt"`
	ClosedAt    *time.Time      `json:"closedAt"`
	Type        *string         `json:"type"`
	Author      *userNode       `json:"author"`
	Labels      *page[titled]   `json:"labels"`
	Milestone   *titled         `json:"milestone"`
	Notes       *page[noteNode] `json:"notes"`
}

type commitNode struct {
	SHA            string     `json:"sha"`
	Message        *string    `json:"message"`
	AuthorName     *string    `json:"authorName"`
	AuthorEmail    *string    `json:"authorEmail"`
	AuthoredDate   *time.Time `json:"authoredDate"`
	CommitterName  *string    `json:"committerName"`
	CommitterEmail *string    `json:"committerEmail"`
	CommittedDate  *time.Time `json:"committedDate"`
	Author         *userNode  `json:"author"`
	Signature      *struct {
		Status *string `json:"verificationStatus"`
	} `json:"signature"`
}

type filesAnswer struct {
	Project *struct {
		ID         string `json:"id"`
		Repository *struct {
			Tree  *treeNode       `json:"tree"`
			Blobs *page[blobNode] `json:"blobs"`
		} `json:"repository"`
	} `json:"project"`
}

type issuesAnswer struct {
	Project *struct {
		ID       string           `json:"id"`
		FullPath string           `json:"fullPath"`
		Issues   *page[issueNode] `json:"issues"`
	} `json:"project"`
}
