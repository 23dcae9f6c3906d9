package github_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"primum/forges"
	"primum/forges/github"
	"primum/forges/sim"
	"primum/forges/sim/simtest"
	"primum/rules/fact"
)

func report(state forges.ReportState) forges.Report {
	return forges.Report{
		Name: "primum", State: state, Title: "2 rules fail", Summary: "**No.**", Text: "Why.", Short: "2 rules fail",
		URL: "https://primum.example/v/1", External: "k1", StartedAt: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC),
		FinishedAt: time.Date(2026, 1, 5, 9, 0, 1, 0, time.UTC),
		Buttons:    []forges.Button{{ID: "recheck", Label: "Check again", Description: "Reads and judges anew"}},
	}
}

func (s *story) head() string { return s.Forge.Tip(simtest.Repo, s.branch) }

func TestAVerdictIsCreatedOnceAndThenUpdated(t *testing.T) {
	t.Parallel()
	s := tell(t, simtest.Options{})
	sha := s.head()
	posted, err := s.GitHub.SetVerdict(t.Context(), s.ref.Repo, sha, report(forges.ReportPending), forges.Posted{})
	s.must(err)
	first := posted
	for _, tt := range []struct {
		state                      forges.ReportState
		wantStatus, wantConclusion string
	}{
		{forges.ReportFailure, "completed", "failure"},
		{forges.ReportNeutral, "completed", "neutral"},
		{forges.ReportSuccess, "completed", "success"},
	} {
		s.Face.ResetCalls()
		posted, err = s.GitHub.SetVerdict(t.Context(), s.ref.Repo, sha, report(tt.state), posted)
		s.must(err)
		runs := s.Forge.Checks(simtest.Repo, sha)
		if len(runs) != 1 || runs[0].Status != tt.wantStatus || runs[0].Conclusion != tt.wantConclusion || runs[0].ExternalID != "k1" {
			t.Errorf("%s: %+v", tt.state, runs)
		}
		if posted.ID != first.ID || posted.SHA != sha || posted.State != tt.state || s.Face.Calls().Writes != 1 {
			t.Errorf("%s: posted %+v with %d writes", tt.state, posted, s.Face.Calls().Writes)
		}
	}
	if a := s.Forge.Checks(simtest.Repo, sha)[0].Actions; len(a) != 1 || a[0].Identifier != "recheck" {
		t.Errorf("buttons: %+v", a)
	}
	// The check is known from the facts alone, and updated.
	c := s.read(plan())
	if len(c.Checks) != 1 || !c.Checks[0].Ours || c.Checks[0].ID != first.ID || c.Checks[0].ExternalID != "k1" {
		t.Fatalf("checks: %+v", c.Checks)
	}
	s.Face.ResetCalls()
	if again, err := s.GitHub.SetVerdict(t.Context(), s.ref.Repo, sha, report(forges.ReportSuccess), posted); err != nil || again != posted || s.Face.Calls().Writes != 0 {
		t.Errorf("what stands was written again: %+v, %v", again, err)
	}
	// A run of another commit is left alone.
	s.push(sim.NewCommit{Files: map[string]string{"a": "b"}})
	next, err := s.GitHub.SetVerdict(t.Context(), s.ref.Repo, s.head(), report(forges.ReportFailure), posted)
	s.must(err)
	if next.ID == posted.ID {
		t.Error("the run of the former head was updated")
	}
	// So is one that is gone.
	next.ID = "999999"
	if next, err = s.GitHub.SetVerdict(t.Context(), s.ref.Repo, s.head(), report(forges.ReportSuccess), next); err != nil || next.ID == "999999" {
		t.Errorf("a run that is gone: %+v, %v", next, err)
	}
	if _, err := s.GitHub.SetVerdict(t.Context(), s.ref.Repo, strings.Repeat("d", 40), report(forges.ReportFailure), forges.Posted{}); err == nil {
		t.Error("posted on a commit that does not exist")
	}
}

func TestAnnotationsNeverPileUp(t *testing.T) {
	t.Parallel()
	s := tell(t, simtest.Options{})
	sha := s.head()
	with := func(n int) forges.Report {
		r := report(forges.ReportFailure)
		for i := range n {
			r.Annotations = append(r.Annotations, forges.Annotation{Path: "fw/dosing/rate.c", Line: i + 1, Level: "warning", Message: "class C"})
		}
		return r
	}
	posted, err := s.GitHub.SetVerdict(t.Context(), s.ref.Repo, sha, with(120), forges.Posted{})
	s.must(err)
	if runs := s.Forge.Checks(simtest.Repo, sha); len(runs) != 1 || len(runs[0].Annotations) != 100 {
		t.Fatalf("%d runs, %d annotations", len(runs), len(runs[0].Annotations))
	}
	retitled := with(120)
	retitled.Title = "3 rules fail"
	same, err := s.GitHub.SetVerdict(t.Context(), s.ref.Repo, sha, retitled, posted)
	s.must(err)
	if runs := s.Forge.Checks(simtest.Repo, sha); same.ID != posted.ID || len(runs[0].Annotations) != 100 {
		t.Errorf("the same annotations: %d", len(runs[0].Annotations))
	}
	fewer, err := s.GitHub.SetVerdict(t.Context(), s.ref.Repo, sha, with(1), same)
	s.must(err)
	runs := s.Forge.Checks(simtest.Repo, sha)
	if last := runs[len(runs)-1]; fewer.ID == same.ID || len(last.Annotations) != 1 || fmt.Sprint(last.ID) != fewer.ID {
		t.Errorf("other annotations: %+v, %d annotations", fewer, len(last.Annotations))
	}
}

func TestTextsAreCutBetweenRunes(t *testing.T) {
	t.Parallel()
	s := tell(t, simtest.Options{})
	r := report(forges.ReportFailure)
	r.Title, r.Summary, r.Text = strings.Repeat("é", 300), strings.Repeat("ü", 40_000), strings.Repeat("𝛼", 20_000)
	r.Annotations = []forges.Annotation{{Path: "a", Line: 0, Level: "bad", Message: "m"}, {Path: "", Message: "nowhere"}}
	r.Buttons = []forges.Button{
		{ID: strings.Repeat("x", 21), Label: "cut"},
		{ID: "a", Label: strings.Repeat("é", 30), Description: strings.Repeat("é", 60)},
		{ID: "b", Label: "B"},
		{ID: "c", Label: "C"},
		{ID: "d", Label: "D"},
	}
	_, err := s.GitHub.SetVerdict(t.Context(), s.ref.Repo, s.head(), r, forges.Posted{})
	s.must(err)
	run := s.Forge.Checks(simtest.Repo, s.head())[0]
	for name, text := range map[string]string{"title": run.Title, "summary": run.Summary, "text": run.Text, "label": run.Actions[0].Label} {
		if !utf8.ValidString(text) || text == "" {
			t.Errorf("%s is cut within a rune", name)
		}
	}
	if len(run.Summary) > 65535 || len(run.Text) > 65535 || len(run.Summary) < 65500 {
		t.Errorf("summary %d bytes, text %d bytes", len(run.Summary), len(run.Text))
	}
	var ids []string
	for _, a := range run.Actions {
		ids = append(ids, a.Identifier)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, ids); diff != "" {
		t.Errorf("buttons (-want +got):\n%s", diff)
	}
	if len(run.Annotations) != 1 || run.Annotations[0].StartLine != 1 || run.Annotations[0].Level != "notice" {
		t.Errorf("annotations: %+v", run.Annotations)
	}
	id, err := s.GitHub.PutComment(t.Context(), s.ref, "", strings.Repeat("é", 40_000))
	s.must(err)
	if _, err := s.GitHub.PutComment(t.Context(), s.ref, id, strings.Repeat("é", 50_000)); err != nil {
		t.Error(err)
	}
}

func TestATokenWithoutChecksPostsAStatusAndNeverBoth(t *testing.T) {
	t.Parallel()
	s := tell(t, simtest.Options{Config: func(c *github.Config) {
		*c = github.Config{Token: simtest.Token, Repo: simtest.Repo, NoWebhooks: true, BaseURL: c.BaseURL, Now: c.Now}
	}})
	repos, next, err := s.GitHub.ListRepos(t.Context(), "")
	if err != nil || next != "" || len(repos) != 1 || repos[0].FullName() != simtest.Repo {
		t.Fatalf("repositories: %v, %v", repos, err)
	}
	repo := repos[0]
	posted, err := s.GitHub.SetVerdict(t.Context(), repo, s.head(), report(forges.ReportFailure), forges.Posted{})
	s.must(err)
	s.Face.ResetCalls()
	long := report(forges.ReportSuccess)
	long.Short = strings.Repeat("é", 200)
	posted, err = s.GitHub.SetVerdict(t.Context(), repo, s.head(), long, posted)
	s.must(err)
	if w := s.Face.Calls().Writes; w != 1 {
		t.Errorf("%d writes the second time", w)
	}
	statuses := s.Forge.Statuses(simtest.Repo, s.head())
	if len(s.Forge.Checks(simtest.Repo, s.head())) != 0 || len(statuses) != 1 {
		t.Fatalf("%d checks, %d statuses", len(s.Forge.Checks(simtest.Repo, s.head())), len(statuses))
	}
	if newest := statuses[len(statuses)-1]; newest.State != "success" || newest.Context != "primum" || len(newest.Description) > 140 || !utf8.ValidString(newest.Description) {
		t.Errorf("status: %+v", newest)
	}
	// Known from the facts, it stays a status for an adapter that never saw it.
	c, err := s.GitHub.ReadChange(t.Context(), forges.ChangeRef{Repo: repo, Number: s.ref.Number}, plan())
	s.must(err)
	if len(c.Checks) != 1 || !c.Checks[0].Ours || c.Checks[0].ID == "" {
		t.Fatalf("checks: %+v", c.Checks)
	}
	fresh, err := github.New(github.Config{Token: simtest.Token, NoWebhooks: true, BaseURL: s.Server.URL, Now: s.Clock.Now})
	s.must(err)
	s.Face.ResetCalls()
	_, err = fresh.SetVerdict(t.Context(), repo, s.head(), report(forges.ReportFailure), forges.Posted{ID: c.Checks[0].ID, SHA: s.head()})
	s.must(err)
	if w := s.Face.Calls().Writes; w != 1 {
		t.Errorf("%d writes by one that never saw it", w)
	}
	if posted.State != forges.ReportSuccess {
		t.Errorf("posted: %+v", posted)
	}
}

func TestACommentIsEditedUntilSomebodyDeletesIt(t *testing.T) {
	t.Parallel()
	s := tell(t, simtest.Options{})
	id, err := s.GitHub.PutComment(t.Context(), s.ref, "", "one")
	s.must(err)
	again, err := s.GitHub.PutComment(t.Context(), s.ref, id, "two")
	s.must(err)
	if again != id {
		t.Errorf("edited %s, got %s", id, again)
	}
	ref := forges.CommentRef{Repo: s.ref.Repo, Number: s.ref.Number, ID: id}
	for range 2 {
		if err := s.GitHub.React(t.Context(), ref, forges.Seen); err != nil {
			t.Errorf("react: %v", err)
		}
	}
	all := s.Forge.Comments(simtest.Repo, s.ref.Number)
	if len(all) != 1 || all[0].Body != "two" {
		t.Fatalf("comments: %+v", all)
	}
	s.must(s.Forge.As("alex").DeleteComment(simtest.Repo, all[0].ID))
	if _, err := s.GitHub.PutComment(t.Context(), s.ref, id, "three"); !errors.Is(err, forges.ErrNotFound) {
		t.Errorf("a deleted comment: %v", err)
	}
	if _, err := s.GitHub.PutComment(t.Context(), s.ref, "no number", "three"); !errors.Is(err, forges.ErrNotFound) {
		t.Errorf("an id that is none: %v", err)
	}
	review, err := s.Forge.As("priya").Approve(simtest.Repo, s.ref.Number, "/primum sign verified")
	s.must(err)
	ref.ID, ref.Review = fmt.Sprint(review), true
	if err := s.GitHub.React(t.Context(), ref, forges.Done); err != nil {
		t.Errorf("react to a review: %v", err)
	}
	thread, err := s.Forge.As("priya").OpenThread(simtest.Repo, s.ref.Number, "fw/dosing/rate.c", 3, "why")
	s.must(err)
	_ = thread
	c := s.read(plan())
	at := c.Threads[0].URL
	ref.ID = "r" + at[strings.LastIndex(at, "_r")+2:]
	if err := s.GitHub.React(t.Context(), ref, forges.Refused); err != nil {
		t.Errorf("react to a review comment: %v", err)
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	s := tell(t, simtest.Options{})
	for login, want := range map[string]forges.Permission{
		"alex": forges.PermAdmin, "mara": forges.PermWrite, "sam": forges.PermRead, "nobody": forges.PermNone, "a/../b": forges.PermNone,
	} {
		got, err := s.GitHub.Permission(t.Context(), s.ref.Repo, login)
		if err != nil || got != want {
			t.Errorf("%s: got %s, %v; want %s", login, got, err, want)
		}
	}
}

func TestFilesAtACommitABranchAndATag(t *testing.T) {
	t.Parallel()
	s := tell(t, simtest.Options{})
	large := strings.Repeat("0123456789abcdef\n", 70_000)
	s.push(sim.NewCommit{Files: map[string]string{"large.txt": large, "docs/a..b.md": "dots\n", "bin": "\x00\x01", "we ird/ä\"b.md": "odd\n"}})
	s.must(s.Forge.As("mara").Tag(simtest.Repo, "v1", s.head()))
	paths := []string{"large.txt", "docs/a..b.md", "bin", "none", "docs", "we ird/ä\"b.md"}
	for i := range 60 {
		paths = append(paths, fmt.Sprintf("none-%d", i))
	}
	for _, at := range []string{s.head(), s.branch, "v1"} {
		got, err := s.GitHub.ReadFiles(t.Context(), s.ref.Repo, at, paths)
		s.must(err)
		if len(got) != len(paths) || got["large.txt"].Text != large || got["docs/a..b.md"].Text != "dots\n" || got["we ird/ä\"b.md"].Text != "odd\n" {
			t.Errorf("%s: %d files", at, len(got))
		}
		if got["bin"].Problem == "" || !got["none"].Missing || got["docs"].Problem == "" || !got["none-59"].Missing {
			t.Errorf("%s: %+v %+v %+v", at, got["bin"], got["none"], got["docs"])
		}
		if got["none"].Commit != s.head() {
			t.Errorf("%s: read at %s", at, got["none"].Commit)
		}
	}
	if _, err := s.GitHub.ReadFiles(t.Context(), s.ref.Repo, "no-branch", paths[:1]); !errors.Is(err, forges.ErrNotFound) {
		t.Errorf("no such branch: %v", err)
	}
}

func TestEveryMemberOfACandidateIsFound(t *testing.T) {
	t.Parallel()
	s := tell(t, simtest.Options{})
	numbers := []int{s.ref.Number}
	for _, b := range []string{"two", "three", "four"} {
		s.branch = b
		s.push(sim.NewCommit{Files: map[string]string{b + ".c": "x\n"}})
		numbers = append(numbers, s.number(s.Forge.As("mara").OpenChange(simtest.Repo, sim.NewChange{Title: b, Head: b})))
	}
	first, err := s.Forge.As("alex").Enqueue(simtest.Repo, numbers[:3]...)
	s.must(err)
	second, err := s.Forge.As("alex").Enqueue(simtest.Repo, numbers[3])
	s.must(err)
	ref := func(c sim.Candidate) forges.QueueRef {
		return forges.QueueRef{Head: c.Head, Base: c.Base, Branch: c.Branch, Ref: c.Ref}
	}
	for _, tt := range []struct {
		name string
		q    forges.QueueRef
		want []int
	}{
		{"the first candidate", ref(first), numbers[:3]},
		{"one behind it carries those before it", ref(second), numbers},
	} {
		got, err := s.GitHub.ReadQueue(t.Context(), s.ref.Repo, tt.q)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	// Without the right to read the queue, the commits tell.
	p := sim.DefaultPermissions()
	delete(p, "merge_queues")
	s.Forge.SetPermissions(s.Installation.ID, p)
	if got, err := s.GitHub.ReadQueue(t.Context(), s.ref.Repo, ref(first)); err != nil || !cmp.Equal(got, numbers[:3]) {
		t.Errorf("by commits: %v, %v", got, err)
	}
}

func TestOpenChangesArePagedToTheEnd(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.on(pulls, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("state") != "open" || q.Get("sort") != "updated" || q.Get("direction") != "asc" || q.Get("per_page") != "100" {
			t.Errorf("asked %v", q)
		}
		if q.Get("page") == "1" {
			w.Header().Set("Link", fmt.Sprintf(`<%s/repos/acme/pump/pulls?page=2>; rel="next"`, s.URL))
		}
		_, _ = fmt.Fprintf(w, `[{"number":%s,"title":"t","draft":true,"updated_at":"2026-03-02T09:00:00Z","head":{"sha":"%s"},"base":{"ref":"main"}}]`, q.Get("page"), headSHA)
	})
	f := s.forge(newClock())
	one, next, err := f.ListOpen(t.Context(), pump(), "")
	if err != nil || next == "" {
		t.Fatal(next, err)
	}
	two, end, err := f.ListOpen(t.Context(), pump(), next)
	if err != nil || end != "" || one[0].Number != 1 || two[0].Number != 2 || !two[0].Draft || two[0].SHA != headSHA || two[0].Base != "main" {
		t.Errorf("%v, %v, %q, %v", one, two, end, err)
	}
	if _, _, err := f.ListOpen(t.Context(), pump(), "rubbish"); err == nil {
		t.Error("took a cursor that is none")
	}
}

func TestRepositoriesOfAllInstallationsAreListed(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.says("GET /app", 200, `{"id":42,"slug":"primum-acme"}`)
	s.on("POST /app/installations/8/access_tokens", s.by["POST /app/installations/7/access_tokens"])
	s.on("GET /app/installations", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page") == "1" {
			w.Header().Set("Link", fmt.Sprintf(`<%s/app/installations?page=2>; rel="next"`, s.URL))
			_, _ = io.WriteString(w, `[{"id":7},{"id":9,"suspended_at":"2026-01-01T00:00:00Z"}]`)
			return
		}
		_, _ = io.WriteString(w, `[{"id":8}]`)
	})
	n := 0
	s.on("GET /installation/repositories", func(w http.ResponseWriter, _ *http.Request) {
		if n++; n == 1 {
			w.Header().Set("Link", fmt.Sprintf(`<%s/installation/repositories?page=2>; rel="next"`, s.URL))
		}
		_, _ = fmt.Fprintf(w, `{"total_count":3,"repositories":[{"id":%d,"name":"r%d","private":true,"default_branch":"main","owner":{"login":"acme"}}]}`, n, n)
	})
	f := s.forge(newClock())
	var got []string
	for cursor := ""; ; {
		repos, next, err := f.ListRepos(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range repos {
			got = append(got, r.Installation+" "+r.FullName())
		}
		if next == "" {
			break
		}
		cursor = next
	}
	if diff := cmp.Diff([]string{"7 acme/r1", "7 acme/r2", "8 acme/r3"}, got); diff != "" {
		t.Errorf("repositories (-want +got):\n%s", diff)
	}
	for _, cursor := range []string{"x", "1/a/1", "1//0", "-1//1"} {
		if _, _, err := f.ListRepos(t.Context(), cursor); err == nil {
			t.Errorf("took the cursor %q", cursor)
		}
	}
}

func TestAnotherAppsKeyIsSaid(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.says("GET /app", 200, `{"id":43,"slug":"other"}`)
	if err := s.forge(newClock()).Identify(t.Context()); err == nil || !strings.Contains(err.Error(), "belongs to app 43") {
		t.Errorf("got %v", err)
	}
}

func TestAnInstallationIsLookedUpOnce(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.says("GET /repos/acme/pump/installation", 200, `{"id":7}`)
	s.says(pulls, 200, `[]`)
	f := s.forge(newClock())
	r := pump()
	r.Installation = ""
	for range 2 {
		if _, _, err := f.ListOpen(t.Context(), r, ""); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"GET /repos/acme/pump/installation", pulls, pulls}, s.asked()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestWhatFailedIsAskedForAgain(t *testing.T) {
	t.Parallel()
	s, c := serve(t), newClock()
	at := func(back time.Duration) string { return c.Now().Add(-back).Format(time.RFC3339) }
	type delivery struct {
		ID          int64  `json:"id"`
		GUID        string `json:"guid"`
		DeliveredAt string `json:"delivered_at"`
		StatusCode  int    `json:"status_code"`
	}
	pages := map[string][]delivery{
		"":   {{9, "g3", at(1 * time.Minute), 202}, {8, "g2", at(2 * time.Minute), 502}, {7, "g4", at(3 * time.Minute), 0}},
		"p2": {{6, "g3", at(4 * time.Minute), 502}, {5, "g2", at(5 * time.Minute), 502}, {4, "g1", at(3 * time.Hour), 500}},
	}
	s.on("GET /app/hook/deliveries", func(w http.ResponseWriter, r *http.Request) {
		cursor := r.URL.Query().Get("cursor")
		if cursor == "" {
			w.Header().Set("Link", fmt.Sprintf(`<%s/app/hook/deliveries?cursor=p2>; rel="next"`, s.URL))
		}
		_ = json.NewEncoder(w).Encode(pages[cursor])
	})
	var mu sync.Mutex
	var again []string
	for _, id := range []string{"7", "8"} {
		s.on("POST /app/hook/deliveries/"+id+"/attempts", func(w http.ResponseWriter, _ *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			again = append(again, id)
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, `{}`)
		})
	}
	n, err := s.forge(c).Redeliver(t.Context(), c.Now().Add(-time.Hour))
	if err != nil || n != 2 {
		t.Errorf("got %d, %v", n, err)
	}
	if diff := cmp.Diff([]string{"7", "8"}, again); diff != "" {
		t.Errorf("asked for, oldest first (-want +got):\n%s", diff)
	}
}

func TestAHeadThatMovesBetweenPagesSpoilsTheReading(t *testing.T) {
	t.Parallel()
	s := serve(t)
	n := 0
	s.on("POST /graphql", func(w http.ResponseWriter, _ *http.Request) {
		head := headSHA
		if n++; n > 1 {
			head = oldSHA
		}
		_, _ = fmt.Fprintf(w, `{"data":{"repository":{"databaseId":500,"name":"pump","owner":{"__typename":"Organization","login":"acme"},
			"pullRequest":{"number":12,"state":"OPEN","headRefOid":%q,"baseRefOid":%q,"updatedAt":"2026-03-02T09:00:00Z","createdAt":"2026-03-02T09:00:00Z",
			"comments":{"pageInfo":{"hasNextPage":true,"endCursor":"c"},"nodes":[]}}}}}`, head, baseSHA)
	})
	_, err := s.forge(newClock()).ReadChange(t.Context(), change(), forges.Plan{Needs: []fact.Need{fact.NeedComments}})
	if !errors.Is(err, forges.ErrConflict) || !forges.Temporary(err) {
		t.Errorf("got %v, want ErrConflict", err)
	}
}
