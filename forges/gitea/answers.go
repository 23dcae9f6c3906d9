package gitea

import "encoding/json"

// What is read of answers. The library's types lack "draft" and
// "content_version", lose the state of a time that is missing, and know fewer
// kinds of timeline entries than there are; so these are our own.

type label struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// side is one side of a pull request. Ref is a branch, or "refs/pull/…" where
// there is none (any more); Label is the branch it was.
type side struct {
	Label string      `json:"label"`
	Ref   string      `json:"ref"`
	SHA   string      `json:"sha"`
	Repo  *repository `json:"repo"`
}

type pull struct {
	Number    int     `json:"number"`
	URL       string  `json:"html_url"`
	Title     string  `json:"title"`
	Body      string  `json:"body"`
	State     string  `json:"state"`
	Draft     bool    `json:"draft"` // Forgejo has none
	Merged    bool    `json:"merged"`
	User      *user   `json:"user"`
	Labels    []label `json:"labels"`
	Head      side    `json:"head"`
	Base      side    `json:"base"`
	MergeBase string  `json:"merge_base"`
	MergedSHA string  `json:"merge_commit_sha"`
	CreatedAt stamp   `json:"created_at"`
	UpdatedAt stamp   `json:"updated_at"`
	MergedAt  stamp   `json:"merged_at"`
}

type review struct {
	ID          int64  `json:"id"`
	URL         string `json:"html_url"`
	User        *user  `json:"user"`
	State       string `json:"state"`
	Body        string `json:"body"`
	CommitID    string `json:"commit_id"`
	Dismissed   bool   `json:"dismissed"`
	Comments    int    `json:"comments_count"`
	SubmittedAt stamp  `json:"submitted_at"`
}

// lineComment is a comment on a line of a review. Position is a line of the new
// file, OriginalPosition one of the old; one of them is 0.
type lineComment struct {
	ID               int64  `json:"id"`
	ReviewID         int64  `json:"pull_request_review_id"`
	URL              string `json:"html_url"`
	User             *user  `json:"user"`
	Resolver         *user  `json:"resolver"`
	Body             string `json:"body"`
	Path             string `json:"path"`
	Position         int    `json:"position"`
	OriginalPosition int    `json:"original_position"`
}

type comment struct {
	ID             int64  `json:"id"`
	URL            string `json:"html_url"`
	User           *user  `json:"user"`
	OriginalAuthor string `json:"original_author"`
	Body           string `json:"body"`
	CreatedAt      stamp  `json:"created_at"`
	UpdatedAt      stamp  `json:"updated_at"`
}

type status struct {
	ID          int64  `json:"id"`
	State       string `json:"status"`
	Context     string `json:"context"`
	Description string `json:"description"`
	TargetURL   string `json:"target_url"`
	Creator     *user  `json:"creator"`
	CreatedAt   stamp  `json:"created_at"`
	UpdatedAt   stamp  `json:"updated_at"`
}

type issue struct {
	ID             int64   `json:"id"`
	Number         int     `json:"number"`
	URL            string  `json:"html_url"`
	Title          string  `json:"title"`
	Body           string  `json:"body"`
	State          string  `json:"state"`
	User           *user   `json:"user"`
	OriginalAuthor string  `json:"original_author"`
	Labels         []label `json:"labels"`
	Comments       int     `json:"comments"`
	CreatedAt      stamp   `json:"created_at"`
	UpdatedAt      stamp   `json:"updated_at"`
	ClosedAt       stamp   `json:"closed_at"`
	// ContentVersion counts the edits of the body; older instances and Forgejo do
	// not tell it.
	ContentVersion *int `json:"content_version"`
	Milestone      *struct {
		Title string `json:"title"`
	} `json:"milestone"`
	PullRequest *struct {
		Merged bool `json:"merged"`
	} `json:"pull_request"`
	Repository *struct {
		FullName string `json:"full_name"`
	} `json:"repository"`
}

func (i *issue) repo() string {
	if i.Repository == nil {
		return ""
	}
	return i.Repository.FullName
}

// entry is one of an issue's timeline: a comment, a label set or removed, and others.
type entry struct {
	comment
	Type      string `json:"type"`
	Label     *label `json:"label"`
	NewTitle  string `json:"new_title"`
	RefAction string `json:"ref_action"`
	RefIssue  *issue `json:"ref_issue"`
	Dependent *issue `json:"dependent_issue"`
	ReviewID  int64  `json:"review_id"`
}

type changedFile struct {
	Path        string `json:"filename"`
	Previous    string `json:"previous_filename"`
	Status      string `json:"status"`
	Added       int    `json:"additions"`
	Removed     int    `json:"deletions"`
	ContentsURL string `json:"contents_url"`
}

type gitPerson struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	Date  stamp  `json:"date"`
}

type commit struct {
	SHA       string `json:"sha"`
	Author    *user  `json:"author"`
	Committer *user  `json:"committer"`
	Commit    struct {
		Message      string    `json:"message"`
		Author       gitPerson `json:"author"`
		Committer    gitPerson `json:"committer"`
		Verification *struct {
			Verified  bool       `json:"verified"`
			Reason    string     `json:"reason"`
			Signature string     `json:"signature"`
			Signer    *gitPerson `json:"signer"`
		} `json:"verification"`
	} `json:"commit"`
	Parents []json.RawMessage `json:"parents"`
}

// content is a file of a commit. Content is missing of a file too large to
// be shown whole.
type content struct {
	Path     string  `json:"path"`
	SHA      string  `json:"sha"`
	Type     string  `json:"type"`
	Size     int64   `json:"size"`
	Encoding *string `json:"encoding"`
	Content  *string `json:"content"`
}
